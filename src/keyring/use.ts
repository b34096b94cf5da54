import { wipe } from "../bytes/equal.ts";
import { decapsulate } from "../crypto/encapsulate.ts";
import { decapsulationKeyFromPkcs8, signingKeyFromPkcs8 } from "../crypto/key-encoding.ts";
import { sign } from "../crypto/sign.ts";

/** Signs with a key in PKCS#8, whose octets are wiped. */
export async function signWith(secret: Promise<Uint8Array>, message: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = await secret;
  try {
    return await sign(signingKeyFromPkcs8(pkcs8), message);
  } finally {
    wipe(pkcs8);
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
