import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { signerOf } from "../../src/client/client.ts";
import { meetPortal } from "../../src/client/portal-link.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { generateSigningKey } from "../../src/crypto/key-pair.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { signObject } from "../../src/envelope/signed.ts";
import { account } from "../../src/profiles/account.ts";
import { countersignature } from "../../src/profiles/countersignature.ts";
import { signatureJwk, signatureKeyId } from "../../src/profiles/keys.ts";
import { type MasterProfile, masterProfile } from "../../src/profiles/master.ts";
import { masterOf, personalOf } from "../../src/profiles/mesh.ts";
import { type PersonalProfile, personalProfile } from "../../src/profiles/personal.ts";
import { suspension } from "../../src/profiles/suspension.ts";
import { createAccount } from "../../src/protocol/accounts.ts";
import type { Part } from "../../src/protocol/parts.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { udfOf } from "../../src/udf/udf.ts";
import { newDevice, startPortal, type TestDevice } from "../support/world.ts";
import { address, household, join, meshOf, names, save, whoIs } from "./household.ts";

async function send(device: TestDevice, parts: readonly Part[]): Promise<void> {
  const synced = await pull(device.client);
  try {
    for (let at = 0; at < parts.length; at += 16) await synced.link.call(synced.requester, publish, { parts: parts.slice(at, at + 16) });
  } finally {
    synced.link.close();
  }
}

suite("a mesh that lived long", () => {
  test("is taken by a device that joins, though its Master Profiles and suspensions alone are more than one answer holds", async () => {
    const alice = await household();
    await save(alice.desktop, "github");
    const [self, mesh] = [await whoIs(alice.desktop), await meshOf(alice.desktop)];
    const parts: Part[] = [];
    let [master, personal]: [{ digest: string; payload: MasterProfile }, { digest: string; payload: PersonalProfile }] = [masterOf(mesh), personalOf(mesh)];
    const suspensions: string[] = [];
    for (let round = 0; round < 14; round++) {
      for (let count = 0; count < 8; count++) {
        const { g, n } = personal.payload;
        const payload = { action: "suspend" as const, g, heads: [], master: self.master, n, target: udfOf("application/test", randomBytes(32)) as never, v: 1 as const };
        const signed = await signObject(suspension, payload, signerOf(alice.desktop.keyring, self.administrationKey));
        suspensions.push(signed.digest);
        parts.push({ kind: "suspension", object: signed.jws });
      }
      const next = await signObject(masterProfile, { ...master.payload, previous: master.digest as never, version: master.payload.version + 1 }, signerOf(alice.desktop.master, self.master));
      const version = await signObject(personalProfile, { ...personal.payload, g: next.payload.version, heads: [], master: next.digest, n: 1, previous: personal.digest as never, suspensions: suspensions.slice() as never }, signerOf(alice.desktop.keyring, self.administrationKey));
      parts.push({ kind: "master", object: next.jws }, { kind: "personal", object: version.jws });
      [master, personal] = [next, version];
    }
    // Two parts that go together must not be cut apart.
    for (let at = 0; at < parts.length; at += 10) await send(alice.desktop, parts.slice(at, at + 10));
    await sync(alice.desktop.client);
    const phone = await join(alice, "phone");
    assert.deepEqual(await names(phone), ["github"]);
    assert.equal((await meshOf(phone)).suspensions.length, suspensions.length);
  });

  test("lets devices join, and takes its account elsewhere, after its Recovery Key was changed", async () => {
    const alice = await household();
    const [self, mesh] = [await whoIs(alice.desktop), await meshOf(alice.desktop)];
    const [master, personal] = [masterOf(mesh), personalOf(mesh)];
    const next = await signObject(masterProfile, { ...master.payload, previous: master.digest, recoveryKey: signatureJwk(generateSigningKey().publicKey), version: 2 }, signerOf(alice.desktop.master, self.master));
    const consent = await signObject(countersignature, { digest: next.digest, purpose: "recovery-key", v: 1 }, signerOf(alice.desktop.master, signatureKeyId(master.payload.recoveryKey)));
    const version = await signObject(personalProfile, { ...personal.payload, g: 2, heads: [], master: next.digest, n: 1, previous: personal.digest }, signerOf(alice.desktop.keyring, self.administrationKey));
    const second: Part[] = [{ countersignature: consent.jws, kind: "master", object: next.jws }, { kind: "personal", object: version.jws }];
    await send(alice.desktop, second);
    await sync(alice.desktop.client);
    const phone = await join(alice, "phone");
    await sync(phone.client);

    const elsewhere = await startPortal("example.com");
    const device = mesh.devices.get(self.device) ?? assert.fail();
    const first: Part[] = [{ kind: "master", object: master.jws }, { kind: "device", object: device.jws }, { kind: "personal", object: personal.jws }];
    const link = await meetPortal({ ...alice.desktop.client, connect: newDevice(elsewhere).client.connect }, "https://elsewhere.example.com", elsewhere.pin);
    const bound = await signObject(account, { address, master: self.master, portal: elsewhere.pin as never, status: "open", v: 1, version: 1 }, signerOf(alice.desktop.keyring, self.administrationKey));
    const bare = second.map((part) => (part.kind === "master" ? { kind: part.kind, object: part.object } : part));
    await assert.rejects(link.ask(createAccount, { account: bound.jws, parts: [...first, ...bare] }), { code: "profile-wrong-signer" });
    await link.ask(createAccount, { account: bound.jws, parts: [...first, ...second] });
    link.close();
  });
});
