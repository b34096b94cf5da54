import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MeshError } from "../refusals/mesh-error.ts";
import { parseSubjectName } from "./names.ts";
import { makeTlsIdentity } from "./self-made.ts";
import { spkiOfCertificate } from "./spki.ts";

test("OpenSSL takes the certificate for each of its names and for no other", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mesh-certificate-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const identity = await makeTlsIdentity(["Portal.Example.com", "127.0.0.1", "::1", "2001:db8::ff:192.0.2.1"]);
  const certificate = join(folder, "certificate.pem");
  const key = join(folder, "key.pem");
  writeFileSync(certificate, identity.certificatePem);
  writeFileSync(key, identity.keyPkcs8Pem, { mode: 0o600 });
  const verify = (...more: string[]) => execFileSync("openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", certificate, ...more, certificate], { stdio: "pipe" }).toString();
  assert.match(verify("-verify_hostname", "portal.example.com"), /: OK/);
  assert.match(verify("-verify_ip", "127.0.0.1"), /: OK/);
  assert.match(verify("-verify_ip", "::1"), /: OK/);
  assert.match(verify("-verify_ip", "2001:db8::ff:c000:201"), /: OK/);
  assert.match(verify("-attime", String(Math.floor(Date.now() / 1000) + 3649 * 86_400)), /: OK/);
  assert.throws(() => verify("-verify_hostname", "other.example.com"));
  assert.throws(() => verify("-verify_ip", "127.0.0.2"));
  assert.throws(() => verify("-attime", String(Math.floor(Date.now() / 1000) + 3651 * 86_400)));
  assert.throws(() => verify("-purpose", "sslclient"));
  const publicOf = (...command: string[]) => execFileSync("openssl", command, { stdio: "pipe" }).toString();
  const ofKey = publicOf("pkey", "-in", key, "-pubout");
  assert.equal(publicOf("x509", "-in", certificate, "-noout", "-pubkey"), ofKey);
  assert.equal(ofKey.replace(/-----.*-----|\n/g, ""), Buffer.from(identity.spki).toString("base64"));
});

test("a certificate that outlives 2049 and two made at once are fine", async () => {
  const [one, other] = await Promise.all([makeTlsIdentity(["localhost"], 36_500), makeTlsIdentity(["localhost"])]);
  const dates = execFileSync("openssl", ["x509", "-noout", "-enddate"], { input: one.certificatePem }).toString();
  assert.match(dates, new RegExp(String(new Date(Date.now() + 36_500 * 86_400_000).getUTCFullYear())));
  assert.notDeepEqual(one.spki, other.spki);
});

test("the key is found in DER and PEM, and in nothing else", async () => {
  const identity = await makeTlsIdentity(["localhost"]);
  const der = new Uint8Array(Buffer.from(identity.certificatePem.replace(/-----.*-----|\n/g, ""), "base64"));
  assert.deepEqual(spkiOfCertificate(identity.certificatePem), identity.spki);
  assert.deepEqual(spkiOfCertificate(der), identity.spki);
  const malformed = (error: unknown) => error instanceof MeshError && error.code === "der-malformed";
  for (let length = 0; length < der.length; length += 7) assert.throws(() => spkiOfCertificate(der.slice(0, length)), malformed);
  assert.throws(() => spkiOfCertificate(Uint8Array.of(...der, 0)), malformed);
  assert.throws(() => spkiOfCertificate(""), malformed);
  assert.throws(() => spkiOfCertificate(identity.keyPkcs8Pem), malformed);
});

test("names are DNS names or addresses", async () => {
  assert.deepEqual(parseSubjectName("A.example"), { kind: "dns", name: "a.example" });
  assert.deepEqual(parseSubjectName("*.a.example"), { kind: "dns", name: "*.a.example" });
  assert.deepEqual(parseSubjectName("192.0.2.7"), { kind: "ip", octets: Uint8Array.of(192, 0, 2, 7) });
  assert.deepEqual(parseSubjectName("::"), { kind: "ip", octets: new Uint8Array(16) });
  assert.deepEqual(parseSubjectName("1:2:3:4:5:6:7:8"), { kind: "ip", octets: Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8) });
  for (const bad of ["", "a b", "[::1]", "fe80::1%eth0", "300.1.1.1", "-a.example", "a..example", "ä.example", "*.example", "a.*.example", `${"a".repeat(64)}.example`, "https://a.example"]) {
    assert.throws(() => parseSubjectName(bad), (error: unknown) => error instanceof MeshError && error.code === "certificate-name-malformed", bad);
  }
  await assert.rejects(makeTlsIdentity([]), MeshError);
});
