import { MeshError } from "../refusals/mesh-error.ts";

/**
 * Cuts the DER SubjectPublicKeyInfo out of an X.509 certificate (RFC 5280, 4.1), DER or PEM.
 *
 * For certificates of our own; whom we talk to is decided on what OpenSSL read (`http/checked-agent.ts`).
 * @throws MeshError `der-malformed`
 */
export function spkiOfCertificate(certificate: Uint8Array | string): Uint8Array {
  const der = typeof certificate === "string" ? derOfPem(certificate) : certificate;
  const outer = element(der, 0, 0x30);
  const signed = element(der, outer.from, 0x30);
  let at = signed.from;
  if (der[at] === 0xa0) at = element(der, at, 0xa0).end;
  // serialNumber, signature, issuer, validity, subject
  for (const tag of [0x02, 0x30, 0x30, 0x30, 0x30]) at = element(der, at, tag).end;
  const key = element(der, at, 0x30);
  if (key.end > signed.end || signed.end > outer.end || outer.end !== der.length) throw malformed();
  return der.slice(at, key.end);
}

function derOfPem(pem: string): Uint8Array {
  const text = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem)?.[1];
  if (text === undefined) throw malformed();
  return new Uint8Array(Buffer.from(text, "base64"));
}

/** One element with this tag and a definite, shortest length; where its content begins and ends. */
function element(der: Uint8Array, at: number, tag: number): { from: number; end: number } {
  const first = der[at + 1];
  if (der[at] !== tag || first === undefined || first === 0x80 || first > 0x83) throw malformed();
  let from = at + 2;
  let length = first;
  if (first > 0x80) {
    length = 0;
    for (let i = first - 0x80; i > 0; i--) length = length * 256 + (der[from++] ?? 0);
    if (length < 0x80 || length < 2 ** (8 * (first - 0x81))) throw malformed();
  }
  if (from + length > der.length) throw malformed();
  return { from, end: from + length };
}

function malformed(): MeshError {
  return new MeshError("der-malformed", "This is not a DER certificate.");
}
