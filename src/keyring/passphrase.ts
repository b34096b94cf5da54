import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { equalBytes, wipe } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { hkdf } from "../crypto/digest.ts";
import { defaultPasswordParameters, passwordKey, type PasswordOptions, type PasswordParameters } from "../crypto/password-key.ts";
import { randomBytes } from "../crypto/random.ts";
import { keyedUnder, openKeyed } from "../envelope/keyed.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Lock } from "./file-format.ts";

/** What tests turn, so that they are quick; product code gives none of it. */
export interface PassphraseOptions {
  readonly parameters?: PasswordParameters;
  readonly floor?: NonNullable<PasswordOptions["floor"]>;
}

const PURPOSE = "keyring-root";

/** Puts the random key of a keyring under a passphrase, or leaves it readable if there is none. */
export async function lockRoot(root: Uint8Array, passphrase: Uint8Array | undefined, options: PassphraseOptions): Promise<Lock> {
  if (passphrase === undefined) return { name: "none", key: toBase64url(root) };
  const { memoryKiB, passes, lanes } = options.parameters ?? defaultPasswordParameters;
  const salt = randomBytes(32);
  const key = await passwordKey(passphrase, salt, { memoryKiB, passes, lanes }, floorOf(options));
  try {
    const commitment = toBase64url(commitmentOf(key, salt));
    return { name: "argon2id", commitment, key: keyedUnder(key, PURPOSE, root), lanes, memoryKiB, passes, salt: toBase64url(salt) };
  } finally {
    wipe(key);
  }
}

/**
 * Opens the random key; for the caller to wipe.
 *
 * `keyring-locked` without a passphrase where one is needed, `keyring-wrong-passphrase`, `keyring-damaged`. One that is not needed is
 * not looked at. Parameters in the file are bounded before any work is done.
 */
export async function unlockRoot(lock: Lock, passphrase: Uint8Array | undefined, options: PassphraseOptions): Promise<Uint8Array> {
  if (lock.name === "none") return fromBase64url(lock.key);
  if (passphrase === undefined) throw new MeshError("keyring-locked", "The keyring needs its passphrase.");
  const salt = fromBase64url(lock.salt);
  const { memoryKiB, passes, lanes } = lock;
  const key = await bounded(() => passwordKey(passphrase, salt, { memoryKiB, passes, lanes }, floorOf(options)));
  try {
    // First, because AES-GCM alone lets one ciphertext be made that opens under two keys.
    if (!equalBytes(commitmentOf(key, salt), fromBase64url(lock.commitment))) throw new MeshError("keyring-wrong-passphrase", "This passphrase does not open the keyring.");
    const root = openKeyed(key, PURPOSE, lock.key);
    if (root?.length !== 32) throw new MeshError("keyring-damaged", "The keyring is damaged: its key does not open.");
    return root;
  } finally {
    wipe(key);
  }
}

async function bounded<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== "password-key-parameters") throw error;
    throw new MeshError("keyring-damaged", `The keyring is damaged: ${error.message}`);
  }
}

function floorOf({ floor }: PassphraseOptions): PasswordOptions {
  return floor === undefined ? {} : { floor };
}

function commitmentOf(key: Uint8Array, salt: Uint8Array): Uint8Array {
  return hkdf(key, salt, utf8("mesh/keyring/v1/commit"), 32);
}
