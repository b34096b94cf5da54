import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { signObject } from "../envelope/signed.ts";
import { signerOf } from "../client/client.ts";
import { COUNTER_WINDOW, MAX_COUNTER, proposeSession } from "../protocol/session.ts";
import { encodeRequest } from "../protocol/wire.ts";
import { publish, status } from "../protocol/profiles.ts";
import { pinNotice } from "../profiles/connection.ts";
import { disableDevice } from "../client/operations/disable.ts";
import { sync } from "../client/sync.ts";
import { household, type Household, join, names, save, whoIs } from "../../test/adversary/household.ts";
import { shelf } from "./records.ts";
import { sessionsOf } from "./sessions.ts";
import { askAs, openAs, post } from "./test-asking.ts";
import { openSession } from "../protocol/open-session.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import { identityOf } from "./test-identity.ts";

/** A write that may be made any number of times: a notice of a PIN that only its name tells from others. */
async function notice(alice: Household, pin: string): Promise<Uint8Array> {
  const self = await whoIs(alice.desktop);
  const object = await signObject(pinNotice, { expires: alice.portal.clock.now + 1000, master: self.master, pin, status: "open", v: 1 }, signerOf(alice.desktop.keyring, self.administrationKey));
  return encodeRequest(publish, { parts: [{ kind: "pin", object: object.jws }] });
}

async function revision(alice: Household): Promise<number> {
  const { master } = await whoIs(alice.desktop);
  const octets = await alice.portal.store.read((r) => r.get(shelf.meshes, master));
  return (JSON.parse(Buffer.from(octets ?? []).toString()) as { revision: number }).revision;
}

suite("sessions", () => {
  test("a write sent twice under one counter is made once, and its first answer is given again", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    const body = await notice(alice, "AAAAA");
    const first = await asking.send(1, body);
    const made = await revision(alice);
    alice.portal.clock.now += 5000;
    const again = await asking.send(1, body);
    assert.deepEqual([first.code, again.code], ["ok", "ok"]);
    assert.deepEqual(again.body, first.body);
    assert.equal(await revision(alice), made);
  });

  test("the same write sent twice at once is made once", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    const body = await notice(alice, "AAAAA");
    const before = await revision(alice);
    const answers = await Promise.all(Array.from({ length: 8 }, () => asking.send(1, body)));
    assert.deepEqual(new Set(answers.map((one) => `${one.code} ${Buffer.from(one.body).toString()}`)).size, 1);
    assert.equal(await revision(alice), before + 1);
  });

  test("another request under a counter that was used is refused, and a counter below the window is too old", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    assert.equal((await asking.send(5, await notice(alice, "AAAAA"))).code, "ok");
    assert.equal((await asking.send(5, await notice(alice, "BBBBB"))).code, "session-counter-reused");
    assert.equal((await asking.send(4, await notice(alice, "BBBBB"))).code, "ok", "in the window the order does not matter");
    assert.equal((await asking.send(COUNTER_WINDOW + 5, await notice(alice, "CCCCC"))).code, "ok");
    assert.equal((await asking.send(5, await notice(alice, "AAAAA"))).code, "session-counter-old");
    assert.equal((await asking.send(6, await notice(alice, "DDDDD"))).code, "ok");
    assert.equal((await asking.send(3, encodeRequest(status, {}))).code, "ok", "reads may repeat");
  });

  test("answers that left the window are not kept, whatever counters were used", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    const body = await notice(alice, "AAAAA");
    for (let counter = 1; counter < 60; counter += 3) await asking.send(counter, body);
    for (let counter = 2000; counter < 2005; counter++) await asking.send(counter, body);
    const kept = await alice.portal.store.read((r) => r.list(shelf.answers, `${asking.session.id}/`));
    assert.equal(kept.length, 5);
  });

  test("a counter is a whole number of at most twelve digits", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    for (const counter of [0, -1, 1.5, MAX_COUNTER + 1]) assert.equal((await asking.send(counter, encodeRequest(status, {}))).code, "request-malformed", String(counter));
    assert.equal((await asking.send(MAX_COUNTER, encodeRequest(status, {}))).code, "ok");
  });

  test("a MAC covers the body, the counter and the session", async () => {
    const alice = await household();
    const [one, two] = [await openAs(alice.desktop), await openAs(alice.desktop)];
    const body = encodeRequest(status, {});
    assert.equal((await one.send(1, body, "x")).code, "session-wrong-mac");
    assert.equal((await one.send(1, body, "")).code, "session-wrong-mac");
    const heard: (string | undefined)[] = [];
    const { handle } = alice.portal.portal;
    alice.portal.portal.handle = (request) => {
      heard.push(request.headers["mesh-mac"]);
      return handle.call(alice.portal.portal, request);
    };
    await one.send(7, body);
    alice.portal.portal.handle = handle;
    const [mac] = heard;
    assert.ok(mac !== undefined);
    assert.equal((await one.send(7, body, mac)).code, "ok");
    assert.equal((await one.send(8, body, mac)).code, "session-wrong-mac");
    assert.equal((await one.send(7, await notice(alice, "AAAAA"), mac)).code, "session-wrong-mac");
    assert.equal((await two.send(7, body, mac)).code, "session-wrong-mac");
    assert.equal((await post(alice.portal, body, "198.51.100.7", { "mesh-session": "A".repeat(22), "mesh-counter": "7", "mesh-mac": mac })).code, "session-unknown");
    assert.equal((await post(alice.portal, body, "198.51.100.7", { "mesh-session": "../x", "mesh-counter": "7", "mesh-mac": mac })).code, "session-unknown");
  });

  test("sessions opened in a device's name by somebody else push out none that it uses, and few are kept", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    assert.equal((await asking.ask(status, {})).code, "ok");
    const { profile } = identityOf(alice.portal);
    for (let tries = 0; tries < 40; tries++) {
      alice.portal.clock.now += 1;
      const { request } = await proposeSession(encapsulationKey(profile.sessionKey), asking.member);
      assert.equal((await askAs(alice.portal, openSession, request)).code, "ok");
    }
    assert.equal((await asking.ask(status, {})).code, "ok");
    const kept = await alice.portal.store.read((r) => sessionsOf(r, asking.member));
    assert.ok(kept <= 40, String(kept));
  });

  test("a session ends after 90 days, and is taken away with its answers when its device opens another", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    await asking.send(1, await notice(alice, "AAAAA"));
    alice.portal.clock.now += 91 * 86_400_000;
    assert.equal((await asking.ask(status, {}, 2)).code, "session-unknown");
    const next = await openAs(alice.desktop);
    assert.equal((await next.ask(status, {})).code, "ok");
    assert.equal(await alice.portal.store.read((r) => r.get(shelf.sessions, asking.session.id)), undefined);
    assert.deepEqual(await alice.portal.store.read((r) => r.list(shelf.answers, `${asking.session.id}/`)), []);
    await sync(alice.desktop.client);
  });

  test("a request for a session that does not open, or names nobody, is refused", async () => {
    const alice = await household();
    const { profile } = identityOf(alice.portal);
    const self = await whoIs(alice.desktop);
    const { request } = await proposeSession(encapsulationKey(profile.sessionKey), { device: self.device, master: self.master });
    const other = await proposeSession(encapsulationKey(profile.sessionKey), { device: self.device, master: self.device as never });
    assert.equal((await askAs(alice.portal, openSession, { ...request, member: other.request.member })).code, "session-malformed");
    assert.equal((await askAs(alice.portal, openSession, other.request)).code, "session-device-unknown");
  });

  test("clocks that are ten years apart, either way, change nothing but arrival times", async () => {
    const alice = await household();
    for (const years of [10, -10]) {
      const off = years * 365 * 86_400_000;
      const device = await join(alice, `at ${years}`, "member", { now: () => alice.portal.clock.now + off });
      await save(device, `of a device at ${years}`);
      alice.portal.clock.now += off;
      await save(device, `of a portal at ${years}`);
      await sync(alice.desktop.client);
      await disableDevice(alice.desktop.client, `at ${years}`);
      await assert.rejects(sync(device.client), { code: "device-disabled" });
    }
    assert.equal((await names(alice.desktop)).length, 4);
  });
});
