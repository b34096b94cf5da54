import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { deviceOf, type Household, household, join } from "../../../test/adversary/household.ts";
import type { TestDevice } from "../../../test/support/world.ts";
import { readCertificate } from "../../applications/ssh/certificate.ts";
import { LIFETIME } from "../../applications/ssh/device-certificates.ts";
import { ed25519Blob } from "../../applications/ssh/public-key.ts";
import { SshReader } from "../../applications/ssh/wire.ts";
import { memberSelf } from "../../client/client.ts";
import { disableDevice } from "../../client/operations/disable.ts";
import { setUpApplication } from "../../client/operations/set-up-application.ts";
import { ownKeyOf } from "../../client/shares.ts";
import { sync } from "../../client/sync.ts";
import { verifyEd25519 } from "../../crypto/ed25519.ts";
import { sshKeys } from "../ssh-keys.ts";
import { tendAndSend, tendCertificates } from "./certificates.ts";
import { trustNow } from "./trust.ts";

/** What a device's agent offers: whose authority signed each certificate, and `key` for the key as it is. */
async function offered({ client }: TestDevice, mesh: Household): Promise<readonly string[]> {
  const trust = await trustNow(mesh.desktop.client);
  const names = new Map(await Promise.all(Object.entries({ desktop: mesh.desktop, ...mesh.devices }).map(async ([name, device]): Promise<[string, string]> => [(await memberSelf(device.client)).device, name])));
  return (await sshKeys(async () => client).offer([])).map(({ blob }) => {
    if (new SshReader(blob, "It").text() === "ssh-ed25519") return "key";
    const { authority } = readCertificate(blob);
    return names.get(trust.authorities.find((one) => one.key.toHex() === authority.toHex())?.device ?? "") ?? "nobody";
  });
}

/** As the commands do it. */
async function syncs(...devices: readonly TestDevice[]): Promise<void> {
  for (const { client } of devices) {
    await sync(client);
    await tendAndSend(client);
  }
}

suite("certificates of a mesh's devices (docs/spec/ssh.md 7)", () => {
  let mesh: Household;
  before(async () => {
    mesh = await household({ laptop: "member" });
    await setUpApplication(mesh.desktop.client, "ssh");
    await tendAndSend(mesh.desktop.client);
  });
  const device = (name: string) => deviceOf(mesh, name);

  test("a set-up certifies every device, also one that is switched off, which finds its own at its next sync", async () => {
    assert.deepEqual(await offered(mesh.desktop, mesh), ["desktop", "key"]);
    await syncs(device("laptop"));
    assert.deepEqual(await offered(device("laptop"), mesh), ["desktop", "key"]);
    assert.equal(await tendCertificates(mesh.desktop.client), 0, "once");
    assert.equal(await tendCertificates(device("laptop").client), 0, "not by a member");
  });

  test("the agent signs for a certificate as for the key in it", async () => {
    const { client } = device("laptop");
    const keys = sshKeys(async () => client);
    const { publicKey } = await ownKeyOf(client, "ssh");
    const message = new Uint8Array(100);
    for (const { blob } of await keys.offer([])) {
      const signature = new SshReader((await keys.sign(blob, message, { purpose: "unknown" }, [])) ?? assert.fail(), "It");
      assert.equal(signature.text(), "ssh-ed25519");
      assert.equal(verifyEd25519(publicKey, message, signature.string()), true);
    }
    const others = (await sshKeys(async () => mesh.desktop.client).offer([])).map((one) => one.blob);
    for (const blob of [...others, ed25519Blob(new Uint8Array(32))]) assert.equal(await keys.sign(blob, message, { purpose: "unknown" }, []), undefined);
  });

  test("who joins has one by the approval, of a second administration device at that one's first sync", async () => {
    mesh = { ...mesh, devices: { ...mesh.devices, tower: await join(mesh, "tower", "admin") } };
    await syncs(mesh.desktop);
    await syncs(device("tower"), device("laptop"), mesh.desktop);
    for (const one of [mesh.desktop, device("laptop"), device("tower")]) assert.deepEqual((await offered(one, mesh)).toSorted(), ["desktop", "key", "tower"]);
  });

  test("one that is left alone for half of its time is renewed; nobody that syncs a little late is shut out", async () => {
    mesh.portal.clock.now += (LIFETIME / 2 + 60) * 1000;
    assert.deepEqual((await offered(device("laptop"), mesh)).toSorted(), ["desktop", "key", "tower"]);
    await sync(mesh.desktop.client);
    assert.equal(await tendCertificates(mesh.desktop.client), 3);
    mesh.portal.clock.now += (LIFETIME / 2) * 1000;
    assert.deepEqual(await offered(device("laptop"), mesh), ["key"], "what ended is not offered");
    await syncs(mesh.desktop, device("laptop"));
    assert.deepEqual(await offered(device("laptop"), mesh), ["desktop", "key"]);
    await syncs(device("tower"), device("laptop"), mesh.desktop);
  });

  test("those of an administration device that is disabled are not shown any more, and the others' are", async () => {
    await disableDevice(mesh.desktop.client, "tower");
    await syncs(mesh.desktop, device("laptop"));
    for (const one of [mesh.desktop, device("laptop")]) assert.deepEqual(await offered(one, mesh), ["desktop", "key"]);
  });
});
