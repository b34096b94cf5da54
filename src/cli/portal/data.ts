import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { parseCanonical } from "../../bytes/json.ts";
import { fromUtf8, utf8 } from "../../bytes/text.ts";
import { generateDecapsulationKey, generateSigningKey } from "../../crypto/key-pair.ts";
import { decapsulationKeyFromPkcs8, decapsulationKeyToPkcs8, signingKeyFromPkcs8, signingKeyToPkcs8 } from "../../crypto/key-encoding.ts";
import { sign } from "../../crypto/sign.ts";
import { type Jws, readSigned, signedBytes, signObject } from "../../envelope/signed.ts";
import { createKeyringFile, openKeyringFile } from "../../keyring/file.ts";
import type { Identity } from "../../portal/context.ts";
import { encapsulationJwk, signatureJwk } from "../../profiles/keys.ts";
import { type PortalProfile, portalProfile } from "../../profiles/portal.ts";
import type { PortalId } from "../../profiles/types.ts";
import { correctPortal } from "../../profiles/validity.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { formatSin } from "../../udf/sin.ts";
import { udfOfKey } from "../../udf/udf.ts";
import { replaceFile } from "../../machine/replace-file.ts";
import { logKeyEntries, logKeyTexts, logSigners, type LogSigners, logSignersIn, newestLog, newLogKeys } from "./log-keys.ts";
import { keepSettings, type PortalSettings, readOptional, readSettings } from "./settings.ts";

/** A portal's directory, opened: who it is and how it is reached; `log` is missing where an older version of the program made it. */
export type PortalData = { readonly log: LogSigners | undefined; readonly settings: PortalSettings; readonly identity: Identity; readonly tls: { readonly certificatePem: string; readonly keyPkcs8Pem: string }; readonly database: string };

const KEYS = { identity: "portal-identity", session: "portal-session", tls: "portal-tls" } as const;

/**
 * Makes a portal's directory: settings, keys (0600), certificate, and the Portal Profile that vouches for it (decision 3.5).
 *
 * Refuses to touch a portal that is there (`data-exists`), or keys that may be those of one (`data-damaged`).
 */
export async function makePortalData(directory: string, settings: PortalSettings): Promise<PortalId> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  demand(readOptional(join(directory, "portal.json")) === undefined, "data-exists", `There is a portal in ${directory} already.`, `Start it: mesh portal serve --data ${directory}`);
  demand(readOptional(join(directory, "keyring.json")) === undefined, "data-damaged", `There are a portal's keys in ${directory}, but no portal.json: making it was cut off, or the file was lost.`, "Restore portal.json from a backup, or choose another directory.");
  const { makeTlsIdentity } = await import("../../certificates/self-made.ts");
  const names = [...new Set([settings.domain, settings.host, "localhost", "127.0.0.1"])].filter((name) => name !== "0.0.0.0" && name !== "::");
  const tls = await makeTlsIdentity(names);
  const [identityKey, sessionKey, logKeys] = [generateSigningKey(), generateDecapsulationKey(), newLogKeys()];
  const id = udfOfKey<"portal">(identityKey.publicKey.spki);
  const signer = { kid: udfOfKey<"signature-key">(identityKey.publicKey.spki), sign: (message: Uint8Array) => sign(identityKey, message) };
  const payload = { domains: [settings.domain], id, identityKey: signatureJwk(identityKey.publicKey), logKeys: logKeyTexts(logSigners(settings.domain, logKeys, 1)), sessionKey: encapsulationJwk(sessionKey.publicKey), tlsKeys: [udfOfKey<"tls-key">(tls.spki)], v: 1 as const, version: 1 };
  const profile = await signObject(portalProfile, payload, signer);
  const keyring = await createKeyringFile(join(directory, "keyring.json"), undefined);
  await keyring.addAll([
    { id: KEYS.identity, purpose: "portal-identity", secret: signingKeyToPkcs8(identityKey) },
    { id: KEYS.session, purpose: "portal-session", secret: decapsulationKeyToPkcs8(sessionKey) },
    { id: KEYS.tls, purpose: "portal-tls", secret: utf8(tls.keyPkcs8Pem) },
    ...logKeyEntries(logKeys, 1),
  ]);
  keyring.close();
  replaceFile(join(directory, "certificate.pem"), utf8(tls.certificatePem));
  replaceFile(join(directory, "profile.json"), signedBytes(profile));
  // Last, since its presence says that all the rest is there.
  keepSettings(directory, settings);
  return id;
}

/** Opens a portal's directory; `data-missing` (exit 3), `data-damaged`, `data-newer`. */
export async function openPortalData(directory: string): Promise<PortalData> {
  const settings = readSettings(directory);
  const keyring = await openKeyringFile(join(directory, "keyring.json"), undefined);
  try {
    const signed = readSigned(parseCanonical(needFile(directory, "profile.json")), portalProfile);
    const identityKey = signingKeyFromPkcs8(await keyring.open(KEYS.identity));
    const profile = await correctPortal(signed, udfOfKey(identityKey.publicKey.spki));
    const sessionKey = decapsulationKeyFromPkcs8(await keyring.open(KEYS.session));
    const tls = { certificatePem: fromUtf8(needFile(directory, "certificate.pem")), keyPkcs8Pem: fromUtf8(await keyring.open(KEYS.tls)) };
    const log = await logSignersIn(keyring, settings.domain, newestLog(profile.payload));
    return { log, settings, tls, database: join(directory, "portal.db"), identity: { jws: profile.jws as Jws, profile, sessionKey } };
  } finally {
    keyring.close();
  }
}

/**
 * Has a portal's profile list the TLS key of its certificate, or of its proxy's, first, with the one that was first before: who is connected
 * yet sees that one. Returns who the portal is then.
 */
export async function vouchFor(directory: string, identity: Identity, certificatePem: string): Promise<Identity> {
  const { spkiOfCertificate } = await import("../../certificates/spki.ts");
  const key = udfOfKey<"tls-key">(spkiOfCertificate(certificatePem));
  if (identity.profile.payload.tlsKeys[0] === key) return identity;
  await renewProfile(directory, ({ tlsKeys, version, ...profile }) => ({ ...profile, tlsKeys: [key, ...tlsKeys.slice(0, 1)], version: version + 1 }));
  return (await openPortalData(directory)).identity;
}

/**
 * Signs the next version of a portal's profile, which names the one before, and puts it in place; `change` says what is new in it.
 *
 * Whoever serves the portal shows it once it reads it again.
 */
export async function renewProfile(directory: string, change: (profile: PortalProfile) => PortalProfile): Promise<void> {
  const keyring = await openKeyringFile(join(directory, "keyring.json"), undefined);
  try {
    const identityKey = signingKeyFromPkcs8(await keyring.open(KEYS.identity));
    const kid = udfOfKey<"signature-key">(identityKey.publicKey.spki);
    const before = await correctPortal(readSigned(parseCanonical(needFile(directory, "profile.json")), portalProfile), kid);
    const next = await signObject(portalProfile, { ...change(before.payload), previous: before.digest }, { kid, sign: (message) => sign(identityKey, message) });
    replaceFile(join(directory, "profile.json"), signedBytes(next));
  } finally {
    keyring.close();
  }
}

/** What is said of a portal: where it is, its pin, and its name bound to its key. */
export function describePortal(settings: PortalSettings, id: PortalId): { readonly url: string; readonly fingerprint: string; readonly sin: string } {
  const host = settings.host === "0.0.0.0" || settings.host === "::" ? settings.domain : settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  return { url: `https://${host}:${settings.port}#${id}`, fingerprint: id, sin: formatSin(settings.domain, id) };
}

function needFile(directory: string, name: string): Uint8Array {
  const octets = readOptional(join(directory, name));
  if (octets === undefined) throw new MeshError("data-damaged", `The portal's file ${name} is missing.`, "Restore it from a backup.");
  return octets;
}
