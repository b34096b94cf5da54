import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { storedOf } from "../../../archive-2017/test-objects.ts";
import { readVectors } from "../../../crypto/test-vectors.ts";
import { main } from "../../main.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-profile-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const objects = readVectors<Readonly<Record<string, { readonly text: string }>>>("profiles/objects.json");
const object = (name: string): string => file(`${name}.json`, objects[name]?.text ?? assert.fail(name));

async function show(...words: readonly string[]): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  const said = { 1: "", 2: "" };
  const status = await main(["profile", "show", ...words], { environment: { MESH_HOME: join(folder, "no-home") }, now: Date.now, columns: () => undefined, isTerminal: () => false, write: (to, text) => void (said[to] += text) });
  return { status, out: said[1], err: said[2] };
}

suite("mesh profile show FILE", () => {
  test("needs no home, says the stage, and what would be needed to get further", async () => {
    const { status, out } = await show(object("personal-1-1"), "--with", object("master-1"));
    assert.equal(status, 0);
    assert.match(out, /^Personal Profile \(1, 1\)\n\n {2}signature {2}true, by Administration Key 1 /);
    assert.match(out, /stage {6}Verified\. To judge further, give with --with: the Device Profile of /);
    assert.match(out, /\n {4}.* {2}admin {3}active\n/);
  });

  test("takes the others from files, folders and lists", async () => {
    const names = ["master-1", "device-laptop", "device-tower", "device-phone"];
    const personal = object("personal-1-1");
    const list = file("all.list", `[${names.map((name) => objects[name]?.text).join(",\n")}]`);
    for (const given of [names.flatMap((name) => ["--with", object(name)]), ["--with", list]]) {
      const { out } = await show(personal, ...given, "--json");
      assert.deepEqual((({ stage, signature, lacks, refusal }) => ({ stage, signature, lacks, refusal }))(JSON.parse(out)), { stage: "correct", signature: "true", lacks: [], refusal: null });
    }
    const own = mkdtempSync(join(folder, "many-"));
    for (const name of names) writeFileSync(join(own, name), `${objects[name]?.text}\n`);
    assert.match((await show(personal, "--with", own)).out, /stage {6}Correct/);
  });

  test("what is refused is shown all the same, and the exit status says why", async () => {
    const all = ["master-1", "personal-1-1", "device-laptop", "device-tower", "device-phone", "device-tablet"].flatMap((name) => ["--with", object(name)]);
    const personal = objects["personal-1-2"]?.text ?? "";
    const { status, out, err } = await show(object("bad-account-signer"), ...all);
    assert.equal(status, 4);
    assert.match(out, /^account, version 1\n[^]*Verified, and REFUSED: The signer of this account is no administration device\.[^]*address +alice@example\.com/);
    assert.equal(err, "mesh: The signer of this account is no administration device.\n");
    // One letter inside the signature: the text reads the same, and is false.
    const at = personal.indexOf('"signature":"') + 40;
    const forged = file("forged.json", `${personal.slice(0, at)}${personal[at] === "A" ? "B" : "A"}${personal.slice(at + 1)}`);
    const refused = await show(forged, ...all, "--json");
    assert.equal(refused.status, 1);
    assert.equal((JSON.parse(refused.out) as { signature: string }).signature, "false");
    assert.equal((JSON.parse(refused.err) as { code: string }).code, "signature-invalid");
  });

  test("an object of 2017 is told apart, judged by its own rules, and never Verified", async () => {
    const personal = file("2017-personal.json", JSON.stringify({ SignedPersonalProfile: { Identifier: "x", SignedData: storedOf("PersonalProfile") } }).replace(/("payload":")(.{64})/, "$1\n$2\n"));
    const { status, out } = await show(personal);
    assert.equal(status, 0);
    assert.match(out, /^PersonalProfile in the format of 2017, MC2T7-[^]*signature {2}true, by an administration key of the Master Profile in it[^]*stage {6}none: by the rules of 2017 it stands;/);
    assert.doesNotMatch(out, /Verified(?! by it)|Correct|Valid/);
    const ssh = file("2017-ssh.json", JSON.stringify(storedOf("SSHProfile")));
    assert.equal((JSON.parse((await show(ssh, "--json")).out) as { signature: string }).signature, "unchecked");
    assert.equal((JSON.parse((await show(ssh, "--with", personal, "--json")).out) as { signature: string }).signature, "true");
    const forged = file("2017-forged.json", JSON.stringify(storedOf("MasterProfile")).replace(/("signature":")./, "$1A"));
    assert.equal((await show(forged)).status, 1);
  });

  test("what is no signed object is refused with a code", async () => {
    const cases: readonly (readonly [string, string])[] = [
      ["json-malformed", "-----BEGIN"],
      ["json-malformed", ""],
      ["signed-malformed", "{}"],
      ["signed-malformed", "[]"],
      ["signed-malformed", '{"payload":"eA","protected":"e30","signature":"AA"}'],
      ["signed-malformed", `[${objects["master-1"]?.text}]`],
      ["json-duplicate-member", '{"payload":"eA","payload":"eA"}'],
      ["json-too-deep", "[".repeat(40)],
      ["archive-malformed", '{"payload":1,"signatures":[]}'],
    ];
    for (const [code, text] of cases) {
      const { status, out, err } = await show(file("odd", text), "--json");
      assert.deepEqual([status, out, (JSON.parse(err) as { code: string }).code], [1, "", code], text);
    }
    for (const path of [join(folder, "nothing"), folder]) assert.equal((await show(path)).status, 2);
    assert.equal((await show(object("master-1"), "--with", join(folder, "nothing"))).status, 2);
  });

  test("a text that would move the terminal is spelt out", async () => {
    const listing = file("odd-2017.json", JSON.stringify(storedOf("DeviceProfile")));
    const stored = JSON.parse(Buffer.from((storedOf("DeviceProfile") as { payload: string }).payload, "base64url").toString().replaceAll("\n", " ")) as { DeviceProfile: object };
    const payload = Buffer.from(JSON.stringify({ DeviceProfile: { ...stored.DeviceProfile, Description: "\u001b[2Jowned\u202e" } })).toString("base64url");
    writeFileSync(listing, JSON.stringify({ ...(storedOf("DeviceProfile") as object), payload }));
    const { status, out } = await show(listing);
    assert.equal(status, 1);
    assert.match(out, /\\u\{1b\}\[2Jowned\\u\{202e\}/);
  });

  test("an object that is as large and as odd as may be is shown within a second or two, cut short", async () => {
    const odd: readonly (readonly [string, unknown])[] = [
      ["a list of things that have nothing in common", Array.from({ length: 40_000 }, (_, at) => ({ [`m${at}`]: at }))],
      ["a table without end", Array.from({ length: 60_000 }, () => ({ a: 1 }))],
      ["as many members", Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`m${at}`, at]))],
      ["lists in lists in lists", Array.from({ length: 3000 }, () => JSON.parse(`${"[".repeat(24)}1,{"a":[{}]}${"]".repeat(24)}`) as unknown)],
      ["one long text", "x".repeat(600_000)],
      ["marks on one letter", "e" + "\u0301".repeat(200_000)],
    ];
    for (const [what, Names] of odd) {
      const payload = Buffer.from(JSON.stringify({ OddProfile: { Identifier: "x", Names } })).toString("base64url");
      const begun = performance.now();
      const { status, out } = await show(file("odd-2017.json", JSON.stringify({ ...(storedOf("DeviceProfile") as object), payload })));
      assert.deepEqual([status, out.length < 200_000], [0, true], `${what}: ${out.length}`);
      assert.ok(performance.now() - begun < 5000, `${what}: ${performance.now() - begun} ms`);
    }
  });

  test("--with alone, and no home to show, are refused", async () => {
    assert.equal((await show("--with", folder)).status, 2);
    assert.equal((await show("-", "--with", "-")).status, 2);
    assert.equal((await show()).status, 3);
  });
});
