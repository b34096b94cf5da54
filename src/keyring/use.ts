import { wipe } from "../bytes/equal.ts";
import { CoGeneratedKey } from "../crypto/co-generated-key.ts";
import { decapsulate } from "../crypto/encapsulate.ts";
import { ed25519FromPkcs8, signEd25519 } from "../crypto/ed25519.ts";
import { decapsulationKeyFromPkcs8, signingKeyFromPkcs8 } from "../crypto/key-encoding.ts";
import { sign } from "../crypto/sign.ts";
import type { Added } from "./keyring.ts";

/** Signs with a key in PKCS#8, of the one suite or of Ed25519; its octets are wiped. */
export async function signWith(secret: Promise<Uint8Array>, message: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = await secret;
  try {
    const seed = ed25519FromPkcs8(pkcs8);
    if (seed === undefined) return await sign(signingKeyFromPkcs8(pkcs8), message);
    try {
      return signEd25519(seed, message);
    } finally {
      wipe(seed);
    }
  } finally {
    wipe(pkcs8);
  }
}

/** The most keys of two halves that are kept made; a device has one for each application. */
const MOST_KEPT = 8;

/** Keys made of base keys and what was added to them, kept until they are closed: to make one costs more than to sign. */
export class AddedKeys {
  readonly #kept = new Map<string, CoGeneratedKey>();

  /** Signs with one; `open` gives its seed, which is wiped, where it was not made before. */
  async sign(id: string, { contribution, publicKey }: Added, message: Uint8Array, open: () => Promise<Uint8Array>): Promise<Uint8Array> {
    // All that it is made of: another contribution to the same base is another key, or none.
    const name = `${id} ${contribution.toHex()} ${publicKey.toHex()}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept.sign(message);
    const seed = await open();
    try {
      const key = await CoGeneratedKey.from(seed, contribution, publicKey);
      if (this.#kept.size >= MOST_KEPT) this.close();
      this.#kept.set(name, key);
      return key.sign(message);
    } finally {
      wipe(seed);
    }
  }

  close(): void {
    for (const key of this.#kept.values()) key.close();
    this.#kept.clear();
  }
}

/** Decapsulates with a key in PKCS#8, whose octets are wiped. */
export async function decapsulateWith(secret: Promise<Uint8Array>, ciphertext: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = await secret;
  try {
    return await decapsulate(decapsulationKeyFromPkcs8(pkcs8), ciphertext);
  } finally {
    wipe(pkcs8);
  }
}
