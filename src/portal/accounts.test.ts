import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { signerOf } from "../client/client.ts";
import { createMesh } from "../client/operations/create.ts";
import { disableDevice } from "../client/operations/disable.ts";
import { joinMesh } from "../client/operations/join.ts";
import { sync } from "../client/sync.ts";
import { signObject, type Verified } from "../envelope/signed.ts";
import { type Account, account } from "../profiles/account.ts";
import { masterOf, personalOf } from "../profiles/mesh.ts";
import { createAccount, deleteAccount, validateAccount } from "../protocol/accounts.ts";
import type { Part } from "../protocol/parts.ts";
import { get, status } from "../protocol/profiles.ts";
import { commands } from "../protocol/commands.ts";
import { newDevice, startPortal, type TestDevice, type TestPortal } from "../../test/support/world.ts";
import { emptyTwinOf } from "../../test/adversary/cheating.ts";
import { address, deviceOf, household, join, meshOf, save, whoIs } from "../../test/adversary/household.ts";
import { invite } from "./invitations.ts";
import { askAs, openAs } from "./test-asking.ts";
import { loadWhole } from "./whole.ts";

const HOUR = 3_600_000;

function create(portal: TestPortal, name: string, device: TestDevice = newDevice(portal, { holdsMaster: true }), options: { readonly invitation?: string } = {}) {
  return createMesh(device.client, device.master, { address: name, portal: { url: portal.url, pin: portal.pin }, deviceName: "desktop", ...options });
}

/** The next version of an account's object, by an Administration Key. */
async function nextAccount(device: TestDevice, of: "open" | "closed"): Promise<Verified<Account>> {
  const self = await whoIs(device);
  const view = await device.portal.store.read((r) => loadWhole(r, self.master));
  assert.ok(view !== undefined);
  const { payload, digest } = view.account;
  return signObject(account, { ...payload, previous: digest, status: of, version: payload.version + 1 }, signerOf(device.keyring, self.administrationKey));
}

async function reason(portal: TestPortal, name: string): Promise<string> {
  const answer = await askAs(portal, validateAccount, { address: name });
  const body = JSON.parse(Buffer.from(answer.body).toString()) as { ValidateAccountResponse: { valid: boolean; reason?: string } };
  return body.ValidateAccountResponse.valid ? "free" : (body.ValidateAccountResponse.reason ?? "?");
}

suite("accounts", () => {
  test("a name that is taken, malformed, reserved or of another domain is refused, each with its code, and ValidateAccount says the same", async () => {
    const portal = await startPortal();
    await create(portal, address);
    const cases: readonly [string, string, RegExp][] = [
      [address, "account-name-taken", /is taken/],
      ["postmaster@example.com", "account-name-reserved", /nobody gets/],
      ["root@example.com", "account-name-reserved", /nobody gets/],
      ["bob@example.org", "account-wrong-portal", /serves example\.com/],
    ];
    for (const [name, code, because] of cases) {
      await assert.rejects(create(portal, name), { code }, name);
      assert.match(await reason(portal, name), because);
    }
    for (const name of ["Al ice@example.com", "@example.com", "alice", "ä@example.com", `${"a".repeat(65)}@example.com`, "al/ice@example.com"]) assert.match(await reason(portal, name), /1 to 64/, name);
    assert.equal(await reason(portal, "bob@example.com"), "free");
    assert.equal(await reason(portal, "BOB@EXAMPLE.COM"), "free");
  });

  test("a mesh has one account, the same request makes it once, and two that race for a name leave one", async () => {
    const portal = await startPortal();
    const heard: unknown[] = [];
    portal.meddler.request = (sent) => {
      if (Buffer.from(sent.body.subarray(0, 20)).includes("CreateAccount")) heard.push(sent);
      return sent;
    };
    await create(portal, address);
    const [sent] = heard as Parameters<typeof portal.portal.handle>;
    assert.ok(sent !== undefined);
    assert.equal((await portal.portal.handle(sent)).status, 200);
    const racing = await Promise.allSettled(["bob", "bob", "bob"].map((name) => create(portal, `${name}@example.com`)));
    assert.equal(racing.filter((one) => one.status === "fulfilled").length, 1);
    for (const one of racing) if (one.status === "rejected") assert.equal((one.reason as { code: string }).code, "account-name-taken");
  });

  test("an account is made by invitation, once each, unless the operator opens it or whoever asks sits on the same machine", async () => {
    const portal = await startPortal("example.com", undefined, { policy: { creation: "invited" } });
    await assert.rejects(create(portal, address), { code: "account-not-invited" });
    await invite(portal.store, "welcome", portal.clock.now);
    await assert.rejects(create(portal, address, undefined, { invitation: "guess" }), { code: "account-not-invited" });
    await create(portal, address, undefined, { invitation: "welcome" });
    await assert.rejects(create(portal, "bob@example.com", undefined, { invitation: "welcome" }), { code: "account-not-invited" });
    await create(portal, "carol@example.com", newDevice(portal, { remote: "127.0.0.1" }));
    await create(portal, "dave@example.com", newDevice(portal, { remote: "::1" }));
  });

  test("an account object of another portal, or for another state, makes none", async () => {
    const portal = await startPortal();
    const other = await startPortal();
    const device = newDevice(other);
    await create(other, address, device);
    const { master } = await whoIs(device);
    const view = await other.store.read((r) => loadWhole(r, master));
    assert.ok(view !== undefined);
    const parts: Part[] = [{ kind: "master", object: masterOf(view).jws }];
    assert.equal((await askAs(portal, createAccount, { account: view.account.jws, parts })).code, "account-wrong-portal");
    const closed = await nextAccount(device, "closed");
    assert.equal((await askAs(other, createAccount, { account: closed.jws, parts })).code, "account-wrong-portal");
    assert.equal((await askAs(await emptyTwinOf(other), createAccount, { account: view.account.jws, parts })).code, "profile-out-of-order", "a Master Profile alone is no mesh");
  });

  test("deleted, it goes on for 72 hours and can be taken back; then it is nobody's: no session, no Get, no joining", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const asking = await openAs(alice.desktop);
    const closed = await nextAccount(alice.desktop, "closed");
    assert.equal((await asking.ask(deleteAccount, { account: closed.jws })).code, "ok");
    assert.equal((await asking.ask(deleteAccount, { account: closed.jws })).code, "ok", "twice is once");
    assert.equal((await askAs(alice.portal, get, { address })).code, "ok");
    assert.match(await reason(alice.portal, address), /is taken/);
    await save(laptop, "still there");
    alice.portal.clock.now += 71 * HOUR;
    assert.equal((await asking.ask(deleteAccount, { account: (await nextAccount(alice.desktop, "open")).jws })).code, "ok");
    alice.portal.clock.now += 2 * HOUR;
    await sync(laptop.client);
    assert.equal((await asking.ask(deleteAccount, { account: (await nextAccount(alice.desktop, "closed")).jws })).code, "ok");
    alice.portal.clock.now += 72 * HOUR;
    assert.equal((await askAs(alice.portal, get, { address })).code, "account-unknown");
    for (const command of commands.filter((one) => one.asker !== "anyone")) assert.equal((await asking.ask(command as typeof status, {})).code === "ok", false, command.name);
    assert.equal((await asking.ask(status, {})).code, "request-not-allowed");
    await assert.rejects(openAs(alice.desktop), { code: "session-device-unknown" });
    await assert.rejects(sync(laptop.client), { code: "device-disabled" });
    await assert.rejects(joinMesh(newDevice(alice.portal).client, { address, portal: alice.at, deviceName: "late" }), { code: "account-unknown" });
  });

  test("a freed name is its owner's for 30 days and then anybody's; whoever comes back goes on where the mesh was", async () => {
    const alice = await household({ laptop: "member" });
    await save(alice.desktop, "kept");
    const asking = await openAs(alice.desktop);
    await asking.ask(deleteAccount, { account: (await nextAccount(alice.desktop, "closed")).jws });
    alice.portal.clock.now += 73 * HOUR;
    await assert.rejects(create(alice.portal, address), { code: "account-name-reserved" });
    assert.match(await reason(alice.portal, address), /still reserved/);
    const mesh = await meshOf(alice.desktop);
    const reopened = await nextAccount(alice.desktop, "open");
    const parts: Part[] = [{ kind: "master", object: masterOf(mesh).jws }, { kind: "personal", object: personalOf(mesh).jws }];
    assert.equal((await askAs(alice.portal, createAccount, { account: reopened.jws, parts })).code, "ok");
    await sync(alice.desktop.client);
    await sync(deviceOf(alice, "laptop").client);
    await join(alice, "phone");
    await asking.ask(deleteAccount, { account: (await nextAccount(alice.desktop, "closed")).jws });
    alice.portal.clock.now += 72 * HOUR + 30 * 24 * HOUR;
    await create(alice.portal, address);
  });

  test("only an Administration Key that is not suspended closes an account", async () => {
    const alice = await household({ tower: "admin", laptop: "member" });
    const tower = deviceOf(alice, "tower");
    const closed = await nextAccount(tower, "closed");
    const self = await whoIs(deviceOf(alice, "laptop"));
    const members = await signObject(account, closed.payload, signerOf(deviceOf(alice, "laptop").keyring, self.device));
    const asking = await openAs(alice.desktop);
    assert.equal((await asking.ask(deleteAccount, { account: members.jws })).code, "profile-wrong-signer");
    await disableDevice(alice.desktop.client, "tower");
    assert.match((await asking.ask(deleteAccount, { account: closed.jws })).code, /signer-suspended|profile-wrong-signer/);
  });

  test("an account that has used up its room takes no more, and reads go on", async () => {
    const portal = await startPortal("example.com", undefined, { policy: { octetsPerAccount: 120_000 } });
    const desktop = newDevice(portal);
    await create(portal, address, desktop);
    await assert.rejects(async () => {
      for (let tries = 0; tries < 20; tries++) await save(desktop, `password ${tries}`);
    }, { code: "account-quota" });
    const asking = await openAs(desktop);
    assert.equal((await asking.ask(status, {})).code, "ok");
  });
});
