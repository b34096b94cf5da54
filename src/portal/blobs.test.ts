import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { randomBytes } from "../crypto/random.ts";
import { createMesh } from "../client/operations/create.ts";
import { signerOf } from "../client/client.ts";
import { meetPortal, type PortalLink, type Requester } from "../client/portal-link.ts";
import type { Digest } from "../envelope/fields.ts";
import { digestOf, signObject } from "../envelope/signed.ts";
import { blobDrop, dropBlobs, getBlob, MAX_BLOB, putBlob } from "../protocol/blobs.ts";
import { status } from "../protocol/profiles.ts";
import { splitOctets } from "../protocol/octets.ts";
import { encodeRequest } from "../protocol/wire.ts";
import { openMemoryStore } from "../store/memory.ts";
import { deviceOf, household, type Household, whoIs } from "../../test/adversary/household.ts";
import { newDevice, startPortal, type TestDevice } from "../../test/support/world.ts";
import { type MeshRecord, row, shelf } from "./records.ts";
import { type Asking, openAs } from "./test-asking.ts";

async function linkOf(device: TestDevice): Promise<{ readonly link: PortalLink; readonly requester: Requester }> {
  const self = await whoIs(device);
  return { link: await meetPortal(device.client, self.portal.url, self.portal.id), requester: self };
}

async function roomOf(alice: Household): Promise<number> {
  const { master } = await whoIs(alice.desktop);
  return (await alice.portal.store.read((r) => row<MeshRecord>(r, shelf.meshes, master)))?.octets ?? 0;
}
const kept = async (alice: Household): Promise<number> => (await alice.portal.store.read((r) => r.list(shelf.blobs, ""))).length;

suite("blobs at a portal", () => {
  let alice: Household;
  let desktop: Asking;
  let laptop: Asking;
  before(async () => {
    alice = await household({ laptop: "member" });
    [desktop, laptop] = [await openAs(alice.desktop), await openAs(deviceOf(alice, "laptop"))];
  });

  test("octets come back as they were to every device of the mesh, the largest and those of one octet too", async () => {
    const [put, get] = [await linkOf(alice.desktop), await linkOf(deviceOf(alice, "laptop"))];
    for (const octets of [Uint8Array.of(0), randomBytes(1000), randomBytes(MAX_BLOB)]) {
      const digest = await put.link.putBlob(put.requester, octets);
      assert.deepEqual(await get.link.getBlob(get.requester, digest, octets.length), octets);
    }
  });

  test("a blob is counted once, however often it comes, and no more once it is dropped", async () => {
    const { link, requester } = await linkOf(alice.desktop);
    const before = await roomOf(alice);
    const digest = await link.putBlob(requester, utf8("once"));
    await link.putBlob(requester, utf8("once"));
    assert.equal(await roomOf(alice), before + 4);
    await link.dropBlobs(requester, [digest, digest]);
    await link.dropBlobs(requester, [digest]);
    assert.equal(await roomOf(alice), before);
    await assert.rejects(link.getBlob(requester, digest, 4), { code: "blob-unknown" });
  });

  test("other octets than the digest names, none, or too many are refused, and nothing is kept", async () => {
    const before = [await kept(alice), await roomOf(alice)];
    const tooMany = new Uint8Array(MAX_BLOB + 1);
    const rows: readonly [Uint8Array, Digest, string][] = [
      [utf8("these"), digestOf(utf8("those")), "blob-wrong-digest"],
      [new Uint8Array(0), digestOf(new Uint8Array(0)), "request-malformed"],
      [tooMany, digestOf(tooMany), "request-malformed"],
    ];
    for (const [octets, digest, code] of rows) assert.equal((await desktop.ask(putBlob, { digest }, undefined, octets)).code, code);
    assert.equal((await desktop.send(900, encodeRequest(putBlob, { digest: digestOf(utf8("x")) }))).code, "request-malformed", "a request that carries nothing");
    assert.equal((await desktop.send(901, encodeRequest(status, {}, utf8("x")))).code, "request-malformed", "octets where none are due");
    assert.deepEqual([await kept(alice), await roomOf(alice)], before);
  });

  test("a blob is durable when it is answered, and the same request gets the first answer again", async () => {
    const octets = utf8("answered");
    const first = await laptop.ask(putBlob, { digest: digestOf(octets) }, 500, octets);
    assert.equal(first.code, "ok");
    const room = await roomOf(alice);
    assert.deepEqual(await laptop.ask(putBlob, { digest: digestOf(octets) }, 500, octets), first);
    assert.equal((await laptop.ask(putBlob, { digest: digestOf(utf8("other")) }, 500, utf8("other"))).code, "session-counter-reused");
    assert.equal(await roomOf(alice), room);
    assert.deepEqual(splitOctets((await desktop.ask(getBlob, { digest: digestOf(octets) })).body).octets, octets);
  });

  test("another mesh gets nothing of it, and takes nothing away", async () => {
    const hers = newDevice(alice.portal, { holdsMaster: true });
    await createMesh(hers.client, hers.master, { address: "bob@example.com", portal: alice.at, deviceName: "desktop" });
    const bob = await openAs(hers);
    const octets = utf8("hers");
    await desktop.ask(putBlob, { digest: digestOf(octets) }, undefined, octets);
    assert.equal((await bob.ask(getBlob, { digest: digestOf(octets) })).code, "blob-unknown");
  });

  test("dropping is by the device that asks, of its own mesh, and signed", async () => {
    const digest = digestOf(utf8("kept"));
    await desktop.ask(putBlob, { digest }, undefined, utf8("kept"));
    const [mine, hers] = [await whoIs(alice.desktop), await whoIs(deviceOf(alice, "laptop"))];
    const by = (device: TestDevice, kid: string, master = mine.master) => signObject(blobDrop, { blobs: [digest], master, v: 1 }, signerOf(device.keyring, kid));
    const others = (await by(deviceOf(alice, "laptop"), hers.device)).jws;
    const elsewhere = (await by(alice.desktop, mine.device, hers.device as never)).jws;
    const good = (await by(alice.desktop, mine.device)).jws;
    const forged = { ...good, signature: others.signature };
    for (const [drop, code] of [[others, "profile-wrong-signer"], [elsewhere, "profile-wrong-id"], [forged, "signature-invalid"]] as const) assert.equal((await desktop.ask(dropBlobs, { drop })).code, code);
    assert.equal((await desktop.ask(getBlob, { digest })).code, "ok");
    assert.equal((await desktop.ask(dropBlobs, { drop: good })).code, "ok");
    assert.equal((await desktop.ask(getBlob, { digest })).code, "blob-unknown");
  });

  test("a mesh gets no more room than the portal gives it, however its requests come", async () => {
    const tight = await household({}, await startPortal("example.com", openMemoryStore(), { policy: { octetsPerAccount: 200_000 } }));
    const asking = await openAs(tight.desktop);
    const left = 200_000 - (await roomOf(tight));
    const half = Math.floor(left / 2) + 1;
    const codes = await Promise.all([1, 2].map(async () => {
      const octets = randomBytes(half);
      return (await asking.ask(putBlob, { digest: digestOf(octets) }, undefined, octets)).code;
    }));
    assert.deepEqual(codes.sort(), ["account-quota", "ok"]);
    assert.ok((await roomOf(tight)) <= 200_000);
  });

  test("a portal that gives other octets, or fewer, is found out", async () => {
    const { link, requester } = await linkOf(deviceOf(alice, "laptop"));
    const digest = await link.putBlob(requester, utf8("true"));
    await assert.rejects(link.getBlob(requester, digest, 5), { code: "portal-false-data", exit: 6 });
    const key = `${requester.master}/${digest}`;
    await alice.portal.store.transact((w) => w.put(shelf.blobs, key, utf8("fake")));
    await assert.rejects(link.getBlob(requester, digest, 4), { code: "service-internal" }, "an honest portal notices what happened to its disk");
  });
});
