// Makes the encrypted vectors of vectors/passwords by the formats' own descriptions, with none of src: a second opinion on how they are read.
//
// node scripts/make-password-vectors.ts; costs are low, so that the tests are quick.
import { argon2Sync, createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../vectors/passwords");
const password = "correct horse battery staple ü";
const plain = readFileSync(join(folder, "bitwarden/valid/everything.json"));

const sha256 = (octets: Buffer | string): Buffer => createHash("sha256").update(octets).digest();
const hmac = (key: Buffer, ...parts: Buffer[]): Buffer => parts.reduce((state, part) => state.update(part), createHmac("sha256", key)).digest();

/** bitwarden.com/help/encrypted-export, and the clients' own export: `2.iv|ciphertext|mac`. */
function bitwarden(kdf: { kdfType: 0; kdfIterations: number } | { kdfType: 1; kdfIterations: number; kdfMemory: number; kdfParallelism: number }): object {
  const salt = randomBytes(16).toString("base64");
  const key = kdf.kdfType === 0
    ? pbkdf2Sync(password, salt, kdf.kdfIterations, 32, "sha256")
    : argon2Sync("argon2id", { message: Buffer.from(password), nonce: sha256(salt), memory: kdf.kdfMemory * 1024, passes: kdf.kdfIterations, parallelism: kdf.kdfParallelism, tagLength: 32 });
  const [enc, mac] = ["enc", "mac"].map((info) => hmac(key, Buffer.from(info), Buffer.of(1))) as [Buffer, Buffer];
  const sealed = (octets: Buffer): string => {
    const iv = randomBytes(16);
    const cipher = createCipheriv("aes-256-cbc", enc, iv);
    const ciphertext = Buffer.concat([cipher.update(octets), cipher.final()]);
    return `2.${[iv, ciphertext, hmac(mac, iv, ciphertext)].map((part) => part.toString("base64")).join("|")}`;
  };
  return { encrypted: true, passwordProtected: true, salt, ...kdf, encKeyValidation_DO_NOT_EDIT: sealed(Buffer.from("f8a1b2c3-0000-4000-8000-000000000000")), data: sealed(plain) };
}

const write = (path: string, file: object): void => writeFileSync(join(folder, path), `${JSON.stringify(file, undefined, 2)}\n`);

const pbkdf2 = bitwarden({ kdfType: 0, kdfIterations: 5000 }) as { data: string };
const argon2id = bitwarden({ kdfType: 1, kdfIterations: 2, kdfMemory: 1, kdfParallelism: 2 });
write("bitwarden/valid/protected-pbkdf2.json", pbkdf2);
write("bitwarden/valid/protected-argon2id.json", argon2id);
write("bitwarden/invalid/protected-changed.json", { ...pbkdf2, data: pbkdf2.data.replace(/.(?=.{60}$)/, (one) => (one === "A" ? "B" : "A")) });
write("bitwarden/invalid/protected-no-mac.json", { ...pbkdf2, data: pbkdf2.data.replace(/\|[^|]*$/, "") });
write("bitwarden/invalid/protected-costly.json", { ...argon2id, kdfMemory: 1024 * 1024 });
write("bitwarden/invalid/protected-many-iterations.json", { ...pbkdf2, kdfIterations: 2_000_000_000 });
write("bitwarden/invalid/protected-unknown-kdf.json", { ...pbkdf2, kdfType: 7 });
