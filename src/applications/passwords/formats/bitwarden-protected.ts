import * as v from "valibot";

import type { Json } from "../../../bytes/canonical-json.ts";
import { equalBytes, wipe } from "../../../bytes/equal.ts";
import { utf8 } from "../../../bytes/text.ts";
import { sha256 } from "../../../crypto/digest.ts";
import { decryptCbc, foreignArgon2, hmacSha256, pbkdf2Sha256 } from "../../../crypto/foreign.ts";
import { readShape } from "../../../envelope/shape.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { damaged, unsupported } from "./damage.ts";
import { isObject } from "./item.ts";
import { maxFileOctets } from "./limits.ts";

const shape = v.object({
  encrypted: v.literal(true),
  passwordProtected: v.literal(true),
  salt: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
  kdfType: v.number(),
  kdfIterations: v.pipe(v.number(), v.safeInteger()),
  kdfMemory: v.nullish(v.pipe(v.number(), v.safeInteger())),
  kdfParallelism: v.nullish(v.pipe(v.number(), v.safeInteger())),
  encKeyValidation_DO_NOT_EDIT: v.pipe(v.string(), v.maxLength(4096)),
  data: v.pipe(v.string(), v.maxLength(maxFileOctets)),
});

/** The two kinds of encrypted export: under a password of its own, or under the key of the account. */
export function isEncryptedBitwarden(file: Json): boolean {
  return isObject(file) && file["encrypted"] === true;
}

/**
 * Opens a password-protected Bitwarden export; returns the octets of the plain one that is in it.
 *
 * The key is PBKDF2-SHA-256 or Argon2id (its memory in MiB, its salt the SHA-256 of the text) of the password, stretched by HKDF-Expand
 * into one for AES-256-CBC and one for HMAC-SHA-256, which is checked first.
 * @throws MeshError `import-unsupported`, `import-damaged`, `import-wrong-password`, `password-key-parameters`
 */
export async function openBitwarden(file: Json, password: () => Promise<Uint8Array>): Promise<Uint8Array> {
  if (!isObject(file) || file["passwordProtected"] !== true) throw unsupported("This export is encrypted for one Bitwarden account, and opens there only.", "Export it again as JSON, or as encrypted JSON that is protected by a password.");
  const parts = readShape(shape, file, "import-damaged", "Bitwarden export");
  const [validation, data] = [partsOf(parts.encKeyValidation_DO_NOT_EDIT), partsOf(parts.data)];
  const keys = await keysOf(parts, await password());
  try {
    if (open(validation, keys) === undefined) throw new MeshError("import-wrong-password", "This password does not open the file.");
    const opened = open(data, keys);
    if (opened === undefined) throw damaged("what it holds was changed or cut off.");
    return opened;
  } finally {
    wipe(keys.encryption);
    wipe(keys.mac);
  }
}

type Keys = { readonly encryption: Uint8Array; readonly mac: Uint8Array };

async function keysOf({ salt, kdfType, kdfIterations, kdfMemory, kdfParallelism }: v.InferOutput<typeof shape>, password: Uint8Array): Promise<Keys> {
  if (kdfType !== 0 && kdfType !== 1) throw unsupported(`The key of this export is made in a way that is not known here (kind ${kdfType}).`, "Export it again with PBKDF2 or Argon2id.");
  const key = kdfType === 0
    ? await pbkdf2Sha256(password, utf8(salt), kdfIterations)
    : await foreignArgon2(password, sha256(utf8(salt)), { variant: "argon2id", memoryKiB: (kdfMemory ?? 0) * 1024, passes: kdfIterations, lanes: kdfParallelism ?? 0 });
  // HKDF-Expand (RFC 5869 §2.3) of one block each.
  const expand = (info: string): Uint8Array => hmacSha256(key, utf8(info), Uint8Array.of(1));
  const keys = { encryption: expand("enc"), mac: expand("mac") };
  wipe(key);
  return keys;
}

type Parts = { readonly iv: Uint8Array; readonly ciphertext: Uint8Array; readonly mac: Uint8Array };

/** `2.<iv>|<ciphertext>|<mac>`, each in base64. */
function partsOf(text: string): Parts {
  const [iv, ciphertext, mac, ...more] = text.startsWith("2.") ? text.slice(2).split("|") : [];
  if (iv === undefined || ciphertext === undefined || mac === undefined || more.length > 0) throw damaged("an encrypted part is not of the form expected.");
  try {
    return { iv: Uint8Array.fromBase64(iv), ciphertext: Uint8Array.fromBase64(ciphertext), mac: Uint8Array.fromBase64(mac) };
  } catch {
    throw damaged("an encrypted part is no base64.");
  }
}

function open({ iv, ciphertext, mac }: Parts, keys: Keys): Uint8Array | undefined {
  return equalBytes(hmacSha256(keys.mac, iv, ciphertext), mac) ? decryptCbc(keys.encryption, iv, ciphertext) : undefined;
}
