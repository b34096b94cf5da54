import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { digestOf } from "../envelope/signed.ts";
import { openMemoryKeyring } from "../keyring/memory.ts";
import { joinMesh } from "../client/operations/join.ts";
import { disableDevice, leaveMesh } from "../client/operations/disable.ts";
import { pull } from "../client/sync.ts";
import type { Command } from "../protocol/command.ts";
import { commands } from "../protocol/commands.ts";
import { address, deviceOf, household, type Household, meshOf, whoIs } from "../../test/adversary/household.ts";
import { newDevice, type TestDevice } from "../../test/support/world.ts";
import { personalOf } from "../profiles/mesh.ts";
import { type Asking, askAs, openAs, sampleOctets } from "./test-asking.ts";
import { decisions } from "./dispatch.ts";

suite("who may ask what", () => {
  let alice: Household;
  let askers: Readonly<Record<string, Asking>>;
  let requests: Readonly<Record<string, unknown>>;

  before(async () => {
    alice = await household({ tower: "admin", laptop: "member", thief: "member", leaver: "member" });
    const stranger = newDevice(alice.portal);
    const { witness } = await joinMesh(stranger.client, { address, portal: alice.at, deviceName: "stranger" });
    const keys = openMemoryKeyring();
    const leaver = deviceOf(alice, "leaver");
    const { authenticationKey } = await whoIs(leaver);
    await keys.add(authenticationKey, "device-authentication", await leaver.keyring.open(authenticationKey));
    await disableDevice(alice.desktop.client, "thief");
    await leaveMesh(leaver.client);
    const left: TestDevice = { ...leaver, keyring: keys };
    askers = {
      requester: await openAs(stranger),
      member: await openAs(deviceOf(alice, "laptop")),
      administrator: await openAs(deviceOf(alice, "tower")),
      disabled: await openAs(deviceOf(alice, "thief")),
      suspended: await openAs(left),
    };
    const jws = personalOf(await meshOf(alice.desktop)).jws;
    const parts = [{ kind: "personal", object: jws }];
    const { id } = personalOf(await meshOf(alice.desktop)).payload.applications[0] ?? { id: "" };
    const kem = toBase64url(new Uint8Array(1624));
    requests = {
      Hello: {},
      OpenSession: { ciphertext: kem, member: toBase64url(new Uint8Array(200)) },
      ValidateAccount: { address },
      CreateAccount: { account: jws, parts },
      DeleteAccount: { account: jws },
      Publish: { parts },
      Get: { address },
      GetProfiles: { applications: [], devices: [], mastersAfter: 0, personalsAfter: { g: 0, n: 0 }, suspensionsAfter: 0 },
      Status: {},
      ConnectStart: { request: jws },
      ConnectStatus: { witness },
      ConnectPending: {},
      ConnectComplete: { answer: jws },
      CatalogAppend: { commits: [{ commit: jws }] },
      CatalogRead: { after: 0, catalog: id },
      CatalogTrail: { after: 0, catalog: id },
      ReleaseCommits: { release: jws },
      PutBlob: { digest: digestOf(sampleOctets) },
      GetBlob: { digest: digestOf(sampleOctets) },
      ListBlobs: {},
      DropBlobs: { drop: jws },
      LogOpenings: { from: 0, to: 1 },
      Watch: { after: 0 },
      Follow: { mastersAfter: 0, master: (await whoIs(alice.desktop)).master, pass: toBase64url(new Uint8Array(32)), personalsAfter: { g: 0, n: 0 }, suspensionsAfter: 0, version: { g: 1, n: 1 } },
    };
  });

  test("every command has a decision, and every decision a command", () => {
    const names = commands.map((command) => command.name);
    assert.deepEqual(Object.keys(decisions).sort(), [...names].sort());
    assert.deepEqual(Object.keys(requests).sort(), [...names].sort());
  });

  const standing: Readonly<Record<string, readonly string[]>> = { anyone: ["requester", "member", "administrator", "disabled", "suspended"], requester: ["requester", "member", "administrator"], member: ["member", "administrator"], administrator: ["administrator"] };
  for (const command of commands as readonly Command<unknown, unknown>[]) {
    test(`${command.name} is for ${command.asker}`, async () => {
      const request = requests[command.name];
      const open = await askAs(alice.portal, command, request);
      assert.equal(open.code === "session-required", command.asker !== "anyone", `without a session: ${open.code}`);
      for (const [kind, asking] of Object.entries(askers)) {
        const { code } = await asking.ask(command, request);
        assert.equal(code !== "request-not-allowed", standing[command.asker]?.includes(kind), `${kind}: ${code}`);
      }
    });
  }

  test("a session in the name of another mesh, or of a device that nobody knows, is not opened or lets in nobody", async () => {
    const laptop = deviceOf(alice, "laptop");
    await assert.rejects(openAs(laptop, alice.portal, (await whoIs(laptop)).device), { code: "session-device-unknown" });
    const synced = await pull(laptop.client);
    synced.link.close();
  });
});
