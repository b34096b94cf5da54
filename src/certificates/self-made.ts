import type { Certificate, Time } from "pkijs";
import { MeshError } from "../refusals/mesh-error.ts";
import { parseSubjectName, type SubjectName } from "./names.ts";

/** A TLS server's key with the certificate around it. */
export type TlsIdentity = {
  readonly certificatePem: string;
  /** Unencrypted PKCS#8: a secret. */
  readonly keyPkcs8Pem: string;
  /** DER SubjectPublicKeyInfo, the only thing about it that a Portal Profile lists. */
  readonly spki: Uint8Array;
};

const day = 86_400_000;

/**
 * Makes a P-256 key and a certificate that it signs itself, for a TLS server of these names.
 *
 * Clients believe the portal's profile, not this certificate (decision 3.5), so it may live long: 3,650 days unless
 * said otherwise, beginning a day ago because clocks differ. P-256 and not the suite of decision 2: TLS peers demand it (2.3).
 * The library is loaded here and nowhere else, about 70 ms (docs/decisions/0002-pkijs.md).
 * @throws MeshError `certificate-name-malformed` for a name that is neither DNS nor IP, and for none at all
 */
export async function makeTlsIdentity(names: readonly string[], days = 3650): Promise<TlsIdentity> {
  const subjects = names.map(parseSubjectName);
  if (subjects.length === 0) throw new MeshError("certificate-name-malformed", "A certificate needs at least one name.");
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const certificate = await fill(subjects, days);
  await certificate.subjectPublicKeyInfo.importKey(pair.publicKey);
  await certificate.sign(pair.privateKey, "SHA-256");
  const der = new Uint8Array(certificate.toSchema(true).toBER());
  return { certificatePem: pem("CERTIFICATE", der), keyPkcs8Pem: pem("PRIVATE KEY", pkcs8), spki };
}

/** Everything but key and signature (RFC 5280; names as RFC 9525 has them, in the SAN). */
async function fill(subjects: readonly SubjectName[], days: number): Promise<Certificate> {
  const [pkijs, asn1] = await Promise.all([import("pkijs"), import("asn1js")]);
  const certificate = new pkijs.Certificate();
  certificate.version = 2;
  const serial = crypto.getRandomValues(new Uint8Array(16));
  // Positive, and never a leading zero octet that DER would forbid.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  certificate.serialNumber = new asn1.Integer({ valueHex: serial.buffer });
  // Two that a machine vouches for must differ in name: a chain is sought by it.
  const common = `Mesh portal ${serial.subarray(0, 8).toHex()}`;
  const name = new pkijs.AttributeTypeAndValue({ type: "2.5.4.3", value: new asn1.Utf8String({ value: common }) });
  certificate.issuer.typesAndValues.push(name);
  certificate.subject.typesAndValues.push(name);
  const from = Date.now() - day;
  certificate.notBefore = time(pkijs.Time, new Date(from));
  certificate.notAfter = time(pkijs.Time, new Date(from + (days + 1) * day));
  const alternatives = new pkijs.GeneralNames({
    names: subjects.map((subject) =>
      subject.kind === "dns"
        ? new pkijs.GeneralName({ type: 2, value: subject.name })
        : new pkijs.GeneralName({ type: 7, value: new asn1.OctetString({ valueHex: Uint8Array.from(subject.octets).buffer }) }),
    ),
  });
  const extension = (extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }): void => {
    certificate.extensions ??= [];
    certificate.extensions.push(new pkijs.Extension({ extnID, critical, extnValue: value.toBER() }));
  };
  extension("2.5.29.17", false, alternatives.toSchema());
  extension("2.5.29.19", true, new asn1.Sequence({ value: [] })); // basicConstraints: no authority
  extension("2.5.29.15", true, new asn1.BitString({ valueHex: Uint8Array.of(0x80).buffer, unusedBits: 7 })); // digitalSignature
  extension("2.5.29.37", false, new pkijs.ExtKeyUsage({ keyPurposes: ["1.3.6.1.5.5.7.3.1"] }).toSchema()); // serverAuth
  return certificate;
}

/** RFC 5280 writes dates from 2050 on in another type. */
function time(Kind: typeof Time, value: Date): Time {
  value.setUTCMilliseconds(0);
  return new Kind({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value });
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
