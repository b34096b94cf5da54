import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url } from "../../bytes/base64url.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import { addMaster, addPersonal, addSuspension, applicationOf, beginMesh, devicesWith, HOUR, makeDevice, makePerson, nextMaster, nextPersonal, someId, type TestDevice } from "../../profiles/test-mesh.ts";
import { CONTEST_MS } from "../../profiles/types.ts";
import { authoritiesFile, dropInFile, isEarlier, principalsFile, readState, revokedFile, serverPaths, stateFile } from "./server-files.ts";
import { serverTrust } from "./server-trust.ts";

const [desktop, tower, phone, thief] = (await Promise.all(Array.from({ length: 4 }, makeDevice))) as [TestDevice, TestDevice, TestDevice, TestDevice];
const alice = makePerson([desktop, tower]);
const start = await beginMesh(alice, [desktop, tower], [phone, thief], [applicationOf(someId(), [desktop, tower, phone, thief], 2)], -1000 * HOUR);

const authorityOf = ({ profile }: TestDevice) => fromBase64url(profile.payload.baseKeys.find((key) => key.application === "ssh-authority")?.pub ?? "");
/** Whose authorities count, and which devices are revoked, by their names. */
function said(mesh: typeof start, now = 0) {
  const { authorities, revokedAuthorities, revokedDevices } = serverTrust(mesh, now);
  const all = { desktop, tower, phone, thief };
  const names = (is: (device: TestDevice) => boolean) => Object.entries(all).filter(([, device]) => is(device)).map(([name]) => name).join(" ");
  const revoked = names((device) => revokedAuthorities.some((key) => key.toHex() === authorityOf(device).toHex()));
  return { authorities: names((device) => authorities.some((one) => one.device === device.id && one.key.toHex() === authorityOf(device).toHex())), revoked, devices: names((device) => revokedDevices.includes(device.id)) };
}

suite("what a managed server believes (docs/spec/ssh.md 6)", () => {
  test("certificates by active administration devices, and by nobody else", () => {
    assert.deepEqual(said(start), { authorities: "desktop tower", revoked: "", devices: "" });
    assert.deepEqual(serverTrust(start, 0).asOf, { g: 1, n: 1, suspensions: 0 });
    assert.equal(serverTrust(start, 0).principal, alice.id);
  });

  test("a suspended device counts as revoked at once, and again as active when that is over", async () => {
    const mesh = await addSuspension(start, tower.id, desktop.administration);
    assert.deepEqual(said(mesh), { authorities: "desktop", revoked: "tower", devices: "tower" });
    assert.ok(isEarlier(serverTrust(start, 0).asOf, serverTrust(mesh, 0).asOf), "what was before is an earlier state, though the version is the same");
    const contested = await addSuspension(start, desktop.id, thief.device);
    assert.deepEqual(said(contested), { authorities: "tower", revoked: "desktop", devices: "desktop thief" });
    assert.deepEqual(said(contested, CONTEST_MS), { authorities: "desktop tower", revoked: "", devices: "thief" });
  });

  test("a disabled device stays revoked, also once no version lists it any more", async () => {
    const without = [applicationOf(someId(), [desktop, tower, phone], 2)];
    const disabled = await addPersonal(start, nextPersonal(start, { applications: without, devices: devicesWith(start, thief.id, { status: "disabled" }) }), desktop.administration);
    const gone = await addPersonal(disabled, nextPersonal(disabled, { devices: devicesWith(disabled, phone.id, {}).filter((one) => one.id !== thief.id) }), desktop.administration);
    for (const mesh of [disabled, gone]) assert.deepEqual(said(mesh), { authorities: "desktop tower", revoked: "", devices: "thief" });
  });

  test("a device that loses its Administration Key is no authority any more, under the Master key that took it", async () => {
    const master = await addMaster(start, nextMaster(start, { administrationKeys: [desktop.listed] }), alice.master);
    const mesh = await addPersonal(master, nextPersonal(master, { applications: [applicationOf(someId(), [desktop, phone], 1)], devices: devicesWith(master, tower.id, { status: "disabled" }) }), desktop.administration);
    assert.deepEqual(said(mesh), { authorities: "desktop", revoked: "tower", devices: "tower" });
  });
});

suite("the files of a managed server (docs/spec/ssh.md 6)", () => {
  const trust = serverTrust(start, 0);

  test("the same mesh gives the same octets", () => {
    assert.equal(authoritiesFile(trust).split("\n").length, 3);
    assert.match(authoritiesFile(trust), new RegExp(`^ssh-ed25519 [A-Za-z0-9+/=]+ ${desktop.id}\n`));
    assert.equal(principalsFile(trust), `${alice.id}\n`);
    assert.deepEqual(revokedFile(serverTrust(start, 1)), revokedFile(trust));
    assert.equal(fromUtf8(revokedFile({ revokedAuthorities: [], revokedDevices: [] }).subarray(0, 6)), "SSHKRL");
  });

  test("a state reads as it was written, and nothing else does", () => {
    assert.deepEqual(readState(stateFile(trust)), { principal: alice.id, asOf: trust.asOf });
    for (const text of ["", alice.id, `${alice.id} 1.1`, `${alice.id} 1.1.-1`, `${alice.id} 01.1.0`, `${stateFile(trust)}x`, `a ${stateFile(trust)}`, `${alice.id} 1.1.1e3`]) assert.equal(readState(text), undefined, text);
  });

  test("sshd is told for the accounts alone, and of its own folder", () => {
    assert.equal(serverPaths().authorities, "/etc/ssh/mesh/authorities");
    assert.equal(dropInFile(["root", "alice"], true, "/opt/ssh/sshd_config"), [
      "# Written by mesh; what you change here is lost. `mesh ssh host remove` takes it away.",
      "HostCertificate /opt/ssh/mesh/host-cert.pub",
      "Match User alice,root",
      "  TrustedUserCAKeys /opt/ssh/mesh/authorities",
      "  AuthorizedPrincipalsFile /opt/ssh/mesh/principals/%u",
      "  RevokedKeys /opt/ssh/mesh/revoked",
      "  ExposeAuthInfo yes",
      "",
    ].join("\n"));
  });
});
