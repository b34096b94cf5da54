import { wipe } from "../bytes/equal.ts";
import { CoGeneratedKey } from "../crypto/co-generated-key.ts";
import { decapsulate } from "../crypto/encapsulate.ts";
import { decapsulationKeyFromPkcs8, signingKeyFromPkcs8 } from "../crypto/key-encoding.ts";
import { sign } from "../crypto/sign.ts";
import type { Added } from "./keyring.ts";

/** Signs with a key in PKCS#8, whose octets are wiped. */
export async function signWith(secret: Promise<Uint8Array>, message: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = await secret;
  try {
    return await sign(signingKeyFromPkcs8(pkcs8), message);
  } finally {
    wipe(pkcs8);
  }
}

/** Signs with a base key and what was added to it; the seed is wiped. */
export async function signAddedWith(secret: Promise<Uint8Array>, { contribution, publicKey }: Added, message: Uint8Array): Promise<Uint8Array> {
  const seed = await secret;
  try {
    const key = await CoGeneratedKey.from(seed, contribution, publicKey);
    try {
      return key.sign(message);
    } finally {
      key.close();
    }
  } finally {
    wipe(seed);
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
