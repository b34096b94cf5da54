import { generateLogKey, type LogAlgorithm, type LogSigningKey, logKeyFromSeed, logKeySeed } from "../../crypto/log-key.ts";
import type { KeyringEntry, OpenKeyring } from "../../keyring/keyring.ts";
import type { NoteSigner } from "../../notary/cosignature.ts";
import { logNumber, policyOf } from "../../notary/log-policy.ts";
import { type SignatureType, verifierKey, writeVerifierKey } from "../../notary/verifier-key.ts";
import type { PortalProfile } from "../../profiles/portal.ts";

/** A portal's log, and what signs it: a word at once by Ed25519, its checkpoints by ML-DSA-44, too. */
export type LogSigners = { readonly origin: string; readonly note: NoteSigner; readonly subtree: NoteSigner };

type LogKeys = Readonly<Record<LogAlgorithm, LogSigningKey>>;

const SUFFIXES: Readonly<Record<LogAlgorithm, string>> = { ed25519: "ed25519", mlDsa44: "ml-dsa-44" };

/** A Portal Profile names the keys of so many logs: the newest, and those that ended last. */
const LOGS_NAMED = 4;

/** Makes the keys of a log. */
export function newLogKeys(): LogKeys {
  return { ed25519: generateLogKey("ed25519"), mlDsa44: generateLogKey("mlDsa44") };
}

/** The keys as a keyring keeps them: by their seeds. */
export function logKeyEntries({ ed25519, mlDsa44 }: LogKeys, log: number): readonly KeyringEntry[] {
  return [
    { id: idOf(log, "ed25519"), purpose: "portal-log", secret: logKeySeed(ed25519) },
    { id: idOf(log, "mlDsa44"), purpose: "portal-log", secret: logKeySeed(mlDsa44) },
  ];
}

function idOf(log: number, algorithm: LogAlgorithm): string {
  return `portal-log-${log}-${SUFFIXES[algorithm]}`;
}

/** What signs a log of a portal whose keyring this is; undefined where it has no keys for it. */
export async function logSignersIn(keyring: OpenKeyring, domain: string, log: number): Promise<LogSigners | undefined> {
  const [ed25519, mlDsa44] = [idOf(log, "ed25519"), idOf(log, "mlDsa44")];
  if (!keyring.has(ed25519)) return undefined;
  return logSigners(domain, { ed25519: logKeyFromSeed("ed25519", await keyring.open(ed25519)), mlDsa44: logKeyFromSeed("mlDsa44", await keyring.open(mlDsa44)) }, log);
}

/** What signs a portal's log under its name and number (`docs/spec/log.md` 1.1). */
export function logSigners(domain: string, { ed25519, mlDsa44 }: LogKeys, log: number): LogSigners {
  const origin = `${domain}/mesh/${log}`;
  const signer = (type: SignatureType, key: LogSigningKey): NoteSigner => ({ key: verifierKey(origin, type, key.publicKey), sign: (message) => key.sign(message) });
  return { origin, note: signer("note", ed25519), subtree: signer("subtree/v1", mlDsa44) };
}

/** The number of the log that a Portal Profile names last; 1 where it names none yet. */
export function newestLog({ logKeys }: Pick<PortalProfile, "logKeys">): number {
  return logKeys.length === 0 ? 1 : (logNumber(policyOf(logKeys).origin) ?? 1);
}

/** The keys that a Portal Profile names once a log has begun: those of the last few that ended, and then its own. */
export function withLogKeys(named: readonly string[], signers: LogSigners): string[] {
  const texts = logKeyTexts(signers);
  return [...named.filter((one) => !texts.includes(one)).slice(-2 * (LOGS_NAMED - 1)), ...texts];
}

/** The keys as a Portal Profile lists them. */
export function logKeyTexts({ note, subtree }: LogSigners): string[] {
  return [writeVerifierKey(note.key), writeVerifierKey(subtree.key)];
}
