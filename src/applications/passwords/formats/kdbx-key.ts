import { aesKdf, foreignArgon2 } from "../../../crypto/foreign.ts";
import type { KdbxKdf } from "./kdbx-header.ts";

/** The key that a database makes of what unlocks it: 32 octets; `password-key-parameters` where it asks for too much. */
export async function transformedKey(kdf: KdbxKdf, composite: Uint8Array): Promise<Uint8Array> {
  if (kdf.name === "aes") return aesKdf(composite, kdf.seed, kdf.rounds);
  return foreignArgon2(composite, kdf.salt, { variant: kdf.name, memoryKiB: kdf.memoryKiB, passes: kdf.passes, lanes: kdf.lanes });
}
