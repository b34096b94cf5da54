import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../../src/bytes/base64url.ts";
import { canonicalBytes, type Json } from "../../src/bytes/canonical-json.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change } from "../../src/catalogs/merge.ts";
import { editEntries } from "../../src/client/catalog.ts";
import { signerOf } from "../../src/client/client.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { answerPins, makePin } from "../../src/client/operations/pin.ts";
import { parsePin, type PinCode, pinKey, showPin } from "../../src/client/pin-code.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { signObject } from "../../src/envelope/signed.ts";
import { pinNotice, pinProof, type Witness } from "../../src/profiles/connection.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { newDevice } from "../support/world.ts";
import { type Heard, record } from "./cheating.ts";
import { address, deviceOf, household, type Household, names, save, whoIs } from "./household.ts";
import { rowsOf } from "./searching.ts";

/** The weak secrets of the control: 12 bits, written as a secret is. */
const weakSecrets = Array.from({ length: 4096 }, (_, at) => `${"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[at >> 7]}${"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(at >> 2) & 31]}${"ABCD"[at & 3]}XQ5ZK7M2PJ4WT6RBD3NYHC`);

/** All that a portal ever heard, said or kept, as texts with every base64url inside decoded once, twice and thrice. */
async function transcriptOf(alice: Household, heard: readonly Heard[]): Promise<string> {
  const texts = [...(await rowsOf(alice.portal.store)).map((row) => Buffer.from(row).toString("latin1")), ...heard.map((one) => Buffer.from(canonicalBytes(one as unknown as Json)).toString("latin1"))];
  const decoded = (text: string, depth: number): string => (depth === 0 ? text : `${text}\n${(text.match(/[A-Za-z0-9_-]{40,}/g) ?? []).map((one) => decoded(Buffer.from(one, "base64url").toString("latin1"), depth - 1)).join("\n")}`);
  return texts.map((text) => decoded(text, 3)).join("\n");
}

/** The offline search: whether a candidate secret yields any value of the transcript, by any of the ways in which a PIN is used. */
function found(candidates: readonly string[], code: Pick<PinCode, "id" | "master">, transcript: string): readonly string[] {
  const witnesses = [...new Set(transcript.match(/"witness":"(M[A-Z2-7-]{63})"/g) ?? [])].map((one) => one.slice(11, -1) as Witness);
  assert.ok(witnesses.length > 0);
  return candidates.filter((secret) => {
    const key = pinKey({ ...code, secret });
    const values = [secret, toBase64url(key), ...witnesses.flatMap((witness) => [pinProof(key, "answer", witness), pinProof(key, "request", witness)])];
    return values.some((value) => transcript.includes(value));
  });
}

/** Joins a device by a PIN. */
async function joinByPin(alice: Household, pinCode: string): Promise<readonly string[]> {
  const tablet = newDevice(alice.portal);
  const options = { address, portal: alice.at, deviceName: "tablet", pinCode };
  await joinMesh(tablet.client, options);
  const synced = await pull(alice.desktop.client);
  assert.deepEqual(await answerPins(alice.desktop.client, synced), ["tablet"]);
  synced.link.close();
  assert.equal((await joinMesh(tablet.client, options)).status, "connected");
  return names(tablet);
}

suite("a PIN against whoever holds all that the portal ever saw", () => {
  test("the secret, its key and the joining device's proof stand nowhere in it; only the answer's proof can be tried, and has 125 random bits behind it", async () => {
    const alice = await household();
    const heard = record(alice.portal);
    await save(alice.desktop, "github");
    const { pin } = await makePin(alice.desktop.client, 3_600_000);
    assert.deepEqual(await joinByPin(alice, pin), ["github"]);
    const code = parsePin(pin);
    const transcript = await transcriptOf(alice, heard);
    assert.ok(transcript.includes(code.id), "the public name is there: the search reads what it should");
    assert.deepEqual(found(weakSecrets, code, transcript), []);
    for (const secret of [code.secret, toBase64url(pinKey(code))]) assert.equal(transcript.includes(secret), false);
    assert.deepEqual(found([code.secret], code, transcript), [code.secret], "with the secret itself the search would have known");
    assert.match(code.secret, /^[A-Z2-7]{25}$/);
    let letters = "";
    for (let drawn = 0; drawn < 8; drawn++) letters += parsePin((await makePin(alice.desktop.client, 3_600_000)).pin).secret;
    assert.ok(new Set(letters).size > 26, "the letters of a secret are drawn from all 32");
  });

  test("control: a secret of 12 bits falls to the same search", async () => {
    const alice = await household();
    const heard = record(alice.portal);
    const { master, administrationKey } = await whoIs(alice.desktop);
    const secret = weakSecrets[1234] ?? "";
    const code = { id: "ABCDE", master, secret };
    const expires = alice.portal.clock.now + 3_600_000;
    await editEntries(alice.desktop.client, "administration", () => [change(newEntryId(), undefined, { expires, failures: 0, pin: code.id, secret: toBase64url(pinKey(code)), used: false })]);
    await sync(alice.desktop.client);
    const synced = await pull(alice.desktop.client);
    const notice = await signObject(pinNotice, { expires, master, pin: code.id, status: "open", v: 1 }, signerOf(alice.desktop.keyring, administrationKey));
    await synced.link.call(synced.requester, publish, { parts: [{ kind: "pin", object: notice.jws }] });
    synced.link.close();
    await joinByPin(alice, showPin(code));
    assert.deepEqual(found(weakSecrets, code, await transcriptOf(alice, heard)), [secret]);
  });

  test("five wrong proofs retire it, and one that was used lets nobody in again", async () => {
    const alice = await household();
    const answer = async (): Promise<readonly string[]> => {
      const synced = await pull(alice.desktop.client);
      try {
        return await answerPins(alice.desktop.client, synced);
      } finally {
        synced.link.close();
      }
    };
    const guess = async (pinCode: string): Promise<string> => {
      const device = newDevice(alice.portal);
      const options = { address, portal: alice.at, deviceName: "guess", pinCode };
      await joinMesh(device.client, options);
      assert.deepEqual(await answer(), []);
      return (await joinMesh(device.client, options)).status;
    };
    const { pin } = await makePin(alice.desktop.client, 3_600_000);
    const wrong = showPin({ ...parsePin(pin), secret: "A".repeat(25) });
    for (let tries = 0; tries < 5; tries++) assert.equal(await guess(wrong), "rejected");
    for (const code of [wrong, pin]) await assert.rejects(joinMesh(newDevice(alice.portal).client, { address, portal: alice.at, deviceName: "late", pinCode: code }), { code: "connection-pin-unknown" });
    const { pin: used } = await makePin(alice.desktop.client, 3_600_000);
    await joinByPin(alice, used);
    await assert.rejects(joinMesh(newDevice(alice.portal).client, { address, portal: alice.at, deviceName: "late", pinCode: used }), { code: "connection-pin-unknown" });
  });

  test("two administration devices that make and answer PINs at once: all are made, one guest is let in once, and of two with one PIN at most one", async () => {
    const alice = await household({ tower: "admin" });
    const admins = [alice.desktop, deviceOf(alice, "tower")] as const;
    const pins = await Promise.all(admins.map((device) => makePin(device.client, 3_600_000)));
    for (const [at, { pin }] of pins.entries()) {
      const guests = Array.from({ length: at + 1 }, () => newDevice(alice.portal));
      const options = { address, portal: alice.at, deviceName: "guest", pinCode: pin };
      for (const guest of guests) await joinMesh(guest.client, options);
      const answers = await Promise.all(admins.map(async (device) => {
        const synced = await pull(device.client);
        return answerPins(device.client, synced).finally(() => synced.link.close());
      }));
      assert.equal(answers.flat().length, 1);
      const ended = await Promise.all(guests.map(async (guest) => (await joinMesh(guest.client, options)).status));
      assert.deepEqual(ended.sort(), guests.length === 1 ? ["connected"] : ["connected", "rejected"]);
    }
  });
});
