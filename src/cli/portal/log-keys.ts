import { generateLogKey, type LogAlgorithm, type LogSigningKey, logKeyFromSeed, logKeySeed } from "../../crypto/log-key.ts";
import type { Keyring, KeyringEntry } from "../../keyring/keyring.ts";
import type { NoteSigner } from "../../notary/cosignature.ts";
import { type SignatureType, verifierKey, writeVerifierKey } from "../../notary/verifier-key.ts";

/** A portal's log, and what signs it: a word at once by Ed25519, its checkpoints by ML-DSA-44, too. */
export type LogSigners = { readonly origin: string; readonly note: NoteSigner; readonly subtree: NoteSigner };

type LogKeys = Readonly<Record<LogAlgorithm, LogSigningKey>>;

const IDS: Readonly<Record<LogAlgorithm, string>> = { ed25519: "portal-log-1-ed25519", mlDsa44: "portal-log-1-ml-dsa-44" };

/** Makes the keys of a portal's first log. */
export function newLogKeys(): LogKeys {
  return { ed25519: generateLogKey("ed25519"), mlDsa44: generateLogKey("mlDsa44") };
}

/** The keys as a keyring keeps them: by their seeds. */
export function logKeyEntries({ ed25519, mlDsa44 }: LogKeys): readonly KeyringEntry[] {
  return [
    { id: IDS.ed25519, purpose: "portal-log", secret: logKeySeed(ed25519) },
    { id: IDS.mlDsa44, purpose: "portal-log", secret: logKeySeed(mlDsa44) },
  ];
}

/** What signs the log of a portal whose keyring this is; undefined where an older version of the program made it. */
export async function logSignersIn(keyring: Keyring, domain: string): Promise<LogSigners | undefined> {
  if (!keyring.has(IDS.ed25519)) return undefined;
  const [ed25519, mlDsa44] = [logKeyFromSeed("ed25519", await keyring.open(IDS.ed25519)), logKeyFromSeed("mlDsa44", await keyring.open(IDS.mlDsa44))];
  return logSigners(domain, { ed25519, mlDsa44 });
}

/** What signs a portal's first log under its name (`docs/spec/log.md` 1.1). */
export function logSigners(domain: string, { ed25519, mlDsa44 }: LogKeys): LogSigners {
  const origin = `${domain}/mesh/1`;
  const signer = (type: SignatureType, key: LogSigningKey): NoteSigner => ({ key: verifierKey(origin, type, key.publicKey), sign: (message) => key.sign(message) });
  return { origin, note: signer("note", ed25519), subtree: signer("subtree/v1", mlDsa44) };
}

/** The keys as a Portal Profile lists them. */
export function logKeyTexts({ note, subtree }: LogSigners): string[] {
  return [writeVerifierKey(note.key), writeVerifierKey(subtree.key)];
}
