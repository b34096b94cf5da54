import { equalBytes, wipe } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { hkdf } from "../crypto/digest.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { KeyringEntry } from "./keyring.ts";

/** Octets of the random key of a keyring. */
export const ROOT_OCTETS = 32;

const none = new Uint8Array(0);

/** A key for one use, from the random key of a keyring (HKDF-SHA-512); uses of the keyring itself and labels of callers never meet. */
export function derived(root: Uint8Array, use: "id" | "mac" | "seal" | `derive/${string}`, length: number): Uint8Array {
  return hkdf(root, none, utf8(`mesh/keyring/v1/${use}`), length);
}

/** Of entries to be added, those that are not there yet; `keyring-key-exists` if one would replace another secret or purpose. */
export function newEntries(entries: readonly KeyringEntry[], held: (id: string) => { readonly purpose: string; readonly secret: Uint8Array } | undefined): KeyringEntry[] {
  const fresh = new Map<string, KeyringEntry>();
  for (const entry of entries) {
    const there = held(entry.id) ?? fresh.get(entry.id);
    if (there === undefined) {
      fresh.set(entry.id, entry);
      continue;
    }
    const same = there.purpose === entry.purpose && equalBytes(there.secret, entry.secret);
    if (there !== fresh.get(entry.id)) wipe(there.secret);
    if (!same) throw new MeshError("keyring-key-exists", `The keyring already holds another key named ${entry.id}.`);
  }
  return [...fresh.values()];
}

/** The error for a key that is not there. */
export function keyMissing(id: string): MeshError {
  return new MeshError("keyring-key-missing", `The keyring holds no key named ${id}.`);
}

/** The error for use after `close`. */
export function closed(): MeshError {
  return new MeshError("keyring-locked", "The keyring was closed.");
}
