import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Change } from "../../catalogs/entries.ts";
import { change, type Entry, merge, REMOVED } from "../../catalogs/merge.ts";
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../crypto/ed25519.ts";
import { makeCertificate, type Contents } from "./certificate.ts";
import { certificatesOf, certify, lackingCertificates, LIFETIME } from "./device-certificates.ts";
import { keyLine } from "./public-key.ts";
import type { ServerTrust } from "./server-trust.ts";

const [desktop, tower, laptop, thief] = [generateEd25519(), generateEd25519(), generateEd25519(), generateEd25519()];
const principal = "MASTER" as ServerTrust["principal"];
const device = { device: "LAPTOP", key: laptop.publicKey };
const now = 1_700_000_000;

const by = (name: string, { privateKey, publicKey }: Ed25519Key) => ({ device: name, authority: { publicKey, sign: (message: Uint8Array) => signEd25519(privateKey, message) } });
const trustIn = (...keys: readonly (readonly [string, Ed25519Key])[]) => ({ principal, authorities: keys.map(([name, { publicKey }]) => ({ device: name as ServerTrust["authorities"][number]["device"], key: publicKey })) });
const both = trustIn(["DESKTOP", desktop], ["TOWER", tower]);

/** The entries after changes, each by an author. */
function after(changes: readonly Change[], entries: readonly Entry[] = [], author = "DESKTOP"): readonly Entry[] {
  return changes.reduce((all, one) => [...all.filter((entry) => entry.id !== one.entry), merge(all.find((entry) => entry.id === one.entry), one, author)], entries);
}
const issue = async (entries: readonly Entry[], authority: ReturnType<typeof by>, when = now) =>
  after(await Promise.all(lackingCertificates(entries, [device], authority, { principal }, when).map((one) => certify(one, authority, principal, when))), entries);

suite("certificates of devices (docs/spec/ssh.md 7)", () => {
  test("a device has one of each authority, which names it, and holds whatever its clock says until it ends", async () => {
    const entries = await issue(await issue([], by("DESKTOP", desktop)), by("TOWER", tower), now + 1);
    const found = certificatesOf(entries, device, both, now);
    assert.deepEqual(found.map((one) => one.authority), [tower.publicKey, desktop.publicKey], "that which holds longest first");
    assert.deepEqual(found.map(({ from, id, kind, principals, until }) => ({ from, id, kind, principals, until })).at(-1), { from: 0, id: "LAPTOP", kind: "user", principals: [principal], until: now + LIFETIME });
    assert.equal(new Set(found.map((one) => one.serial)).size, 2);
    assert.equal(certificatesOf(entries, device, both, now - 20 * 365 * 86_400).length, 2);
    assert.equal(certificatesOf(entries, device, both, now + LIFETIME).length, 1);
    assert.deepEqual(certificatesOf(entries, device, trustIn(["TOWER", tower]), now).map((one) => one.authority), [tower.publicKey], "an authority that counts no more gives nothing");
  });

  test("one is renewed in its own entry once half of its time is over, and not before", async () => {
    const entries = await issue([], by("DESKTOP", desktop));
    assert.equal(await issue(entries, by("DESKTOP", desktop), now + LIFETIME / 2), entries);
    const renewed = await issue(entries, by("DESKTOP", desktop), now + LIFETIME / 2 + 1);
    assert.deepEqual(renewed.map((one) => one.id), entries.map((one) => one.id));
    assert.equal(certificatesOf(renewed, device, both, now + LIFETIME)[0]?.until, now + LIFETIME / 2 + 1 + LIFETIME);
  });

  test("what a thief writes over it, or removes, takes nothing away", async () => {
    const entries = await issue([], by("DESKTOP", desktop));
    const [entry] = entries as [Entry];
    const spoilt = after([change(entry.id, entry, { authority: "x", certificate: "x", device: "x", kind: "host", [REMOVED]: true })], entries, "THIEF");
    assert.deepEqual(certificatesOf(spoilt, device, both, now), certificatesOf(entries, device, both, now));
  });

  test("what an authority did not sign for this device, this key and this person is none", async () => {
    const sound: Contents = { key: laptop.publicKey, kind: "user", serial: 1n, id: device.device, principals: [principal], from: 0, until: now + 1 };
    const wrong: readonly (readonly [Partial<Contents>, ReturnType<typeof by>])[] = [[{}, by("THIEF", thief)], [{ key: thief.publicKey }, by("DESKTOP", desktop)], [{ kind: "host" }, by("DESKTOP", desktop)], [{ id: "THIEF" }, by("DESKTOP", desktop)], [{ principals: ["OTHER"] }, by("DESKTOP", desktop)], [{ critical: { "force-command": "false" } }, by("DESKTOP", desktop)], [{ until: now }, by("DESKTOP", desktop)], [{ from: now + 1 }, by("DESKTOP", desktop)]];
    const counted = async (contents: Partial<Contents>, { authority }: ReturnType<typeof by>) => {
      const line = keyLine({ kind: "ssh-ed25519-cert-v01@openssh.com", blob: await makeCertificate({ ...sound, ...contents }, authority) });
      return certificatesOf(after([change("e" as Entry["id"], undefined, { kind: "certificate", device: device.device, certificate: line })]), device, both, now).length;
    };
    assert.equal(await counted({}, by("DESKTOP", desktop)), 1);
    for (const [contents, authority] of wrong) assert.equal(await counted(contents, authority), 0, JSON.stringify(Object.keys(contents)));
  });
});
