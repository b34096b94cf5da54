import { damaged, unsupported } from "./damage.ts";
import { Octets } from "./octets.ts";

/** How the key of a database is made. */
export type KdbxKdf =
  | { readonly name: "aes"; readonly seed: Uint8Array; readonly rounds: number }
  | { readonly name: "argon2d" | "argon2id"; readonly salt: Uint8Array; readonly lanes: number; readonly memoryKiB: number; readonly passes: number };

/** The readable head of a KDBX 4 file. */
export type KdbxHeader = {
  readonly cipher: "aes" | "chacha20";
  readonly compressed: boolean;
  readonly masterSeed: Uint8Array;
  readonly iv: Uint8Array;
  readonly kdf: KdbxKdf;
  /** Octets of the head, its signature among them. */
  readonly length: number;
};

const SIGNATURE = [0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5];
const ciphers: Readonly<Record<string, KdbxHeader["cipher"]>> = { "31c1f2e6bf714350be5805216afc5aff": "aes", d6038a2b8b6f4cb5a524339a31dbb59a: "chacha20" };
const kdfs: Readonly<Record<string, KdbxKdf["name"]>> = { c9d9f39a628a4460bf740d08c18a4fea: "aes", "7c02bb8279a74ac0927d114a00648238": "aes", ef636ddf8c29444b91f7a9a403e30a0c: "argon2d", "9e298b1956db4773b23dfc3ec6f0a1e6": "argon2id" };
const MAX_FIELD = 64 * 1024;

/** Reads the head of a database; `import-unsupported` for another version, cipher or key, `import-damaged` for what is no head. */
export function readKdbxHeader(file: Uint8Array): KdbxHeader {
  const octets = new Octets(file);
  const signature = octets.take(SIGNATURE.length);
  const [minor, major] = [octets.number(2), octets.number(2)];
  if (signature === undefined || SIGNATURE.some((octet, at) => signature[at] !== octet) || minor === undefined || major === undefined) throw damaged("it is no KeePass database.");
  if (major !== 4) throw unsupported(`This database is of version ${major}.${minor} of the format; version 4 is read.`, "Save it as KDBX 4 (in KeePassXC: Database Security, Encryption Settings), or export it as XML.");
  const fields = fieldsOf(octets);
  const need = (kind: number): Uint8Array => {
    const field = fields.get(kind);
    if (field === undefined) throw damaged("the head of the database lacks a part.");
    return field;
  };
  const cipher = ciphers[need(2).toHex()];
  if (cipher === undefined) throw unsupported("This database is encrypted by a cipher that is not read here.", "Save it anew with AES-256 or ChaCha20.");
  const [masterSeed, iv] = [need(4), need(7)];
  if (masterSeed.length !== 32 || iv.length !== (cipher === "aes" ? 16 : 12)) throw damaged("the head of the database is malformed.");
  return { cipher, compressed: new Octets(need(3)).number(4) === 1, masterSeed, iv, kdf: kdfFrom(need(11)), length: octets.at };
}

function fieldsOf(octets: Octets): ReadonlyMap<number, Uint8Array> {
  const fields = new Map<number, Uint8Array>();
  for (;;) {
    const [kind, length] = [octets.number(1), octets.number(4)];
    const data = length === undefined || length > MAX_FIELD ? undefined : octets.take(length);
    if (kind === undefined || data === undefined) throw damaged("the head of the database is cut off.");
    if (kind === 0) return fields;
    fields.set(kind, data);
  }
}

/** A dictionary with types: 0x04 and 0x05 numbers, 0x08 yes or no, 0x0C and 0x0D numbers with a sign, 0x18 text, 0x42 octets. */
function kdfFrom(octets: Uint8Array): KdbxKdf {
  const values = new Map<string, Uint8Array>();
  const reader = new Octets(octets);
  if (new Octets(reader.take(2) ?? octets).take(2)?.[1] !== 1) throw damaged("how its key is made is not said in a form that is known.");
  for (;;) {
    const kind = reader.number(1);
    if (kind === 0) break;
    const name = reader.take(reader.number(4) ?? octets.length + 1);
    const value = reader.take(reader.number(4) ?? octets.length + 1);
    if (kind === undefined || name === undefined || value === undefined) throw damaged("how its key is made is cut off.");
    values.set(new TextDecoder().decode(name), value);
  }
  const bytes = (name: string): Uint8Array => values.get(name) ?? new Uint8Array(0);
  const number = (name: string): number => {
    const value = bytes(name);
    return new Octets(value).number(value.length === 8 ? 8 : 4) ?? 0;
  };
  const name = kdfs[bytes("$UUID").toHex()];
  if (name === undefined) throw unsupported("The key of this database is made in a way that is not read here.", "Save it anew with AES-KDF or Argon2.");
  if (name === "aes") return { name, seed: bytes("S"), rounds: number("R") };
  if (number("V") !== 0x13 || values.has("K") || values.has("A")) throw unsupported("The key of this database is made by an Argon2 that is not read here.", "Save it anew with a current KeePassXC or KeePass.");
  return { name, salt: bytes("S"), lanes: number("P"), memoryKiB: number("M") / 1024, passes: number("I") };
}
