// Makes the encrypted vectors of vectors/passwords by the formats' own descriptions, with none of src: a second opinion on how they are read.
//
// node scripts/make-password-vectors.ts; costs are low, so that the tests are quick.
import { argon2Sync, createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";

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

// KDBX 4 (keepass.info/help/kb/kdbx.html).

const xml = readFileSync(join(folder, "keepassxc-xml/valid/everything.xml"), "utf8");
const sha512 = (...parts: Buffer[]): Buffer => parts.reduce((state, part) => state.update(part), createHash("sha512")).digest();
const u16 = (value: number): Buffer => Buffer.of(value & 255, value >> 8);
const u32 = (value: number): Buffer => Buffer.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
const u64 = (value: bigint): Buffer => {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64LE(value);
  return octets;
};
const field = (kind: number, data: Buffer): Buffer => Buffer.concat([Buffer.of(kind), u32(data.length), data]);

type Choice = {
  readonly cipher: "aes" | "chacha20";
  readonly kdf: "aes" | "argon2d" | "argon2id";
  readonly compressed?: boolean;
  readonly cost?: bigint;
  readonly version?: number;
  readonly cipherId?: string;
  readonly stream?: number;
  readonly files?: readonly Buffer[];
  readonly xml?: string;
};

const cipherIds = { aes: "31c1f2e6bf714350be5805216afc5aff", chacha20: "d6038a2b8b6f4cb5a524339a31dbb59a" };
const kdfIds = { aes: "7c02bb8279a74ac0927d114a00648238", argon2d: "ef636ddf8c29444b91f7a9a403e30a0c", argon2id: "9e298b1956db4773b23dfc3ec6f0a1e6" };

function kdbx({ cipher, kdf, compressed = true, cost, version = 4, cipherId = cipherIds[cipher], stream = 3, files = [], xml: document = xml }: Choice): Buffer {
  const [masterSeed, iv, salt, innerKey] = [randomBytes(32), randomBytes(cipher === "aes" ? 16 : 12), randomBytes(32), randomBytes(64)];
  const value = (kind: number, name: string, data: Buffer): Buffer => Buffer.concat([Buffer.of(kind), u32(name.length), Buffer.from(name), u32(data.length), data]);
  const numbers = kdf === "aes" ? [value(0x05, "R", u64(cost ?? 1000n)), value(0x42, "S", salt)] : [value(0x04, "V", u32(0x13)), value(0x05, "M", u64(cost ?? 1024n * 1024n)), value(0x05, "I", u64(2n)), value(0x04, "P", u32(2)), value(0x42, "S", salt)];
  const parameters = Buffer.concat([u16(0x0100), value(0x42, "$UUID", Buffer.from(kdfIds[kdf], "hex")), ...numbers, Buffer.of(0)]);
  const end = Buffer.from("\r\n\r\n");
  const head = Buffer.concat([Buffer.from("03d9a29a67fb4bb5", "hex"), u16(0), u16(version), field(2, Buffer.from(cipherId, "hex")), field(3, u32(compressed ? 1 : 0)), field(4, masterSeed), field(7, iv), field(11, parameters), field(0, end)]);

  const composite = sha256(sha256(password));
  const key = kdf === "aes" ? slowly(composite, salt) : cost === undefined ? argon2Sync(kdf, { message: composite, nonce: salt, memory: 1024, passes: 2, parallelism: 2, tagLength: 32 }) : randomBytes(32);
  const macKey = sha512(masterSeed, key, Buffer.of(1));
  const blockMac = (index: bigint, ...parts: Buffer[]): Buffer => hmac(sha512(u64(index), macKey), ...parts);

  const hash = sha512(innerKey);
  const hiding = createCipheriv("chacha20", hash.subarray(0, 32), Buffer.concat([Buffer.alloc(4), hash.subarray(32, 44)]));
  const hidden = document
    .replaceAll(/<Value ProtectInMemory="True">([^<]*)<\/Value>/g, (_, text: string) => `<Value Protected="True">${hiding.update(unescaped(text)).toString("base64")}</Value>`)
    .replaceAll(/(<(\w+(?:Time|Changed))>)([^<]+)(<)/g, (_, open: string, _name, time: string, close: string) => open + u64(BigInt(Date.parse(time)) / 1000n + 62_135_596_800n).toString("base64") + close);
  const inner = Buffer.concat([field(1, u32(stream)), field(2, innerKey), ...files.map((file) => field(3, Buffer.concat([Buffer.of(1), file]))), field(0, Buffer.alloc(0)), Buffer.from(hidden)]);
  const packed = compressed ? gzipSync(inner) : inner;
  const encryptionKey = sha256(Buffer.concat([masterSeed, key]));
  const outer = cipher === "aes" ? createCipheriv("aes-256-cbc", encryptionKey, iv) : createCipheriv("chacha20", encryptionKey, Buffer.concat([Buffer.alloc(4), iv]));
  const ciphertext = Buffer.concat([outer.update(packed), outer.final()]);
  const blocks: Buffer[] = [];
  for (let at = 0, index = 0n; at <= ciphertext.length; at += 1024, index++) {
    // The last block is empty, and there is one even where the data end on a whole block.
    const data = ciphertext.subarray(at, at + 1024);
    blocks.push(blockMac(index, u64(index), u32(data.length), data), u32(data.length), data);
    if (data.length > 0 && at + 1024 >= ciphertext.length) blocks.push(blockMac(index + 1n, u64(index + 1n), u32(0)), u32(0));
    if (at + 1024 >= ciphertext.length) break;
  }
  return Buffer.concat([head, sha256(head), blockMac(0xffff_ffff_ffff_ffffn, head), ...blocks]);
}

/** AES-KDF, word for word. */
function slowly(key: Buffer, seed: Buffer): Buffer {
  let state = key;
  for (let round = 0; round < 1000; round++) {
    const cipher = createCipheriv("aes-256-ecb", seed, null);
    cipher.setAutoPadding(false);
    state = cipher.update(state);
  }
  return sha256(state);
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

const keep = (path: string, octets: Buffer): void => writeFileSync(join(folder, "kdbx", path), octets);
keep("valid/aes-argon2id.kdbx", kdbx({ cipher: "aes", kdf: "argon2id" }));
keep("valid/chacha20-argon2d.kdbx", kdbx({ cipher: "chacha20", kdf: "argon2d" }));
keep("valid/chacha20-aes-kdf-not-compressed.kdbx", kdbx({ cipher: "chacha20", kdf: "aes", compressed: false }));
const withFiles = readFileSync(join(folder, "keepassxc-xml/valid/with-files.xml"), "utf8").replace(/\t*<Binaries>[^]*<\/Binaries>\n/, "");
keep("valid/with-files.kdbx", kdbx({ cipher: "aes", kdf: "aes", xml: withFiles, files: [Buffer.from("hello\n"), Buffer.of(0, 1, 2, 3, 4, 5)] }));
const whole = kdbx({ cipher: "aes", kdf: "aes", compressed: false });
const turned = (at: number): Buffer => Buffer.from(whole.map((octet, index) => (index === at ? octet ^ 1 : octet)));
keep("invalid/cut-off.kdbx", whole.subarray(0, Math.floor(whole.length * 0.7)));
keep("invalid/head-changed.kdbx", turned(60));
keep("invalid/block-changed.kdbx", turned(Math.floor(whole.length * 0.6)));
keep("invalid/last-block-missing.kdbx", whole.subarray(0, -36));
keep("invalid/costly-memory.kdbx", kdbx({ cipher: "aes", kdf: "argon2id", cost: 1n << 40n }));
keep("invalid/costly-rounds.kdbx", kdbx({ cipher: "aes", kdf: "aes", cost: 1n << 50n }));
keep("invalid/version-3.kdbx", kdbx({ cipher: "aes", kdf: "aes", version: 3 }));
keep("invalid/twofish.kdbx", kdbx({ cipher: "aes", kdf: "aes", cipherId: "ad68f29f576f4bb9a36ad47af965346c" }));
keep("invalid/salsa20.kdbx", kdbx({ cipher: "aes", kdf: "aes", stream: 2 }));

// 1PUX (support.1password.com/1pux-format): a ZIP archive (APPNOTE.TXT) with export.attributes, export.data and files/.

function zip(members: Readonly<Record<string, Buffer>>): Buffer {
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []];
  for (const [name, octets] of Object.entries(members)) {
    const packed = deflateRawSync(octets);
    const common = Buffer.concat([u16(20), u16(0x0800), u16(8), u16(0), u16(0x5a21), u32(crc32(octets)), u32(packed.length), u32(octets.length), u16(Buffer.byteLength(name)), u16(0)]);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02"), u16(20), common, u16(0), u16(0), u16(0), u32(0), u32(parts.reduce((sum, part) => sum + part.length, 0)), Buffer.from(name)]));
    parts.push(Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]));
  }
  const at = parts.reduce((sum, part) => sum + part.length, 0);
  const list = Buffer.concat(directory);
  return Buffer.concat([...parts, list, Buffer.from("PK\x05\x06"), u16(0), u16(0), u16(directory.length), u16(directory.length), u32(list.length), u32(at), u16(0)]);
}

const onePux = (name: string): Buffer => readFileSync(join(folder, "1pux", name));
const attributes = Buffer.from('{"version":3,"description":"1Password Unencrypted Export","createdAt":1714298956}');
const keepPux = (path: string, octets: Buffer): void => writeFileSync(join(folder, "1pux", path), octets);
const pux = zip({ "export.attributes": attributes, "export.data": onePux("everything.data.json") });
keepPux("valid/everything.1pux", pux);
keepPux("valid/with-files.1pux", zip({ "export.attributes": attributes, "export.data": onePux("with-files.data.json"), "files/doc1__scan.txt": Buffer.from("hello\n"), "files/doc2__photo.bin": Buffer.of(0, 1, 2, 3, 4, 5) }));
keepPux("invalid/cut-off.1pux", pux.subarray(0, Math.floor(pux.length * 0.7)));
keepPux("invalid/changed.1pux", Buffer.from(pux.map((octet, index) => (index === 1000 ? octet ^ 1 : octet))));
keepPux("invalid/no-data.1pux", zip({ "export.attributes": attributes }));
keepPux("invalid/data-no-json.1pux", zip({ "export.data": Buffer.from("not json") }));
keepPux("invalid/data-other-json.1pux", zip({ "export.data": Buffer.from('{"items":[]}') }));
