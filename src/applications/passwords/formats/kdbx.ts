import { concatBytes, equalBytes } from "../../../bytes/equal.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { chaCha20, decryptCbc, decryptCbcCut, hmacSha256 } from "../../../crypto/foreign.ts";
import { sha256, sha512 } from "../../../crypto/digest.ts";
import { damaged, unsupported } from "./damage.ts";
import { inflate } from "./inflate.ts";
import { type KdbxHeader, readKdbxHeader } from "./kdbx-header.ts";
import { transformedKey } from "./kdbx-key.ts";
import { maxFileOctets } from "./limits.ts";
import { littleEndian, Octets } from "./octets.ts";

/** What is in a KDBX 4 file: its document, the stream that hides protected texts in it, and its files by number. */
export type Kdbx = { readonly xml: Uint8Array; readonly unhide: (octets: Uint8Array) => Uint8Array; readonly files: ReadonlyMap<string, Uint8Array>; readonly cut: boolean };

/**
 * Opens a KeePass database of version 4 with its password (https://keepass.info/help/kb/kdbx.html).
 *
 * The header's own HMAC says whether the password is the right one; every block has its own. `partial` takes the blocks before a false one.
 * @throws MeshError `import-unsupported`, `import-damaged`, `import-wrong-password`, `import-too-large`, `password-key-parameters`
 */
export async function openKdbx(file: Uint8Array, password: () => Promise<Uint8Array>, partial: boolean): Promise<Kdbx> {
  const header = readKdbxHeader(file);
  const octets = new Octets(file, header.length);
  const [digest, mac] = [octets.take(32), octets.take(32)];
  if (digest === undefined || mac === undefined || !equalBytes(sha256(file.subarray(0, header.length)), digest)) throw damaged("the head of the database was changed or cut off.");
  const key = await transformedKey(header.kdf, sha256(sha256(await password())));
  const macKey = sha512(header.masterSeed, key, Uint8Array.of(1));
  if (!equalBytes(hmacSha256(blockKey(macKey, 0xffff_ffff_ffff_ffffn), file.subarray(0, header.length)), mac)) {
    throw new MeshError("import-wrong-password", "This password does not open the database.", "A database that needs a key file or a hardware key too must be saved without it first.");
  }
  const blocks = blocksOf(octets, macKey);
  if (blocks.cut && !partial) throw damaged("a block of the database was changed or cut off.");
  const opened = await unpacked(header, decrypted(header, sha256(header.masterSeed, key), blocks.octets, blocks.cut));
  if (opened.damaged && !partial) throw damaged("what is packed in the database does not unpack.");
  return { ...inner(opened.octets), cut: blocks.cut || opened.damaged };
}

function blockKey(macKey: Uint8Array, index: bigint): Uint8Array {
  return sha512(littleEndian(index), macKey);
}

/** The blocks up to the empty one that ends them, each checked. */
function blocksOf(octets: Octets, macKey: Uint8Array): { readonly octets: Uint8Array; readonly cut: boolean } {
  const parts: Uint8Array[] = [];
  for (let index = 0n; ; index++) {
    const [mac, size] = [octets.take(32), octets.take(4)];
    const data = size === undefined ? undefined : octets.take(new Octets(size).number(4) ?? 0);
    const whole = mac !== undefined && size !== undefined && data !== undefined && equalBytes(hmacSha256(blockKey(macKey, index), littleEndian(index), size, data), mac);
    if (!whole) return { octets: concatBytes(...parts), cut: true };
    if (data.length === 0) return { octets: concatBytes(...parts), cut: false };
    parts.push(data);
  }
}

function decrypted({ cipher, iv }: KdbxHeader, key: Uint8Array, ciphertext: Uint8Array, cut: boolean): Uint8Array {
  if (cipher === "chacha20") return chaCha20(key, iv)(ciphertext);
  const plaintext = cut ? decryptCbcCut(key, iv, ciphertext) : decryptCbc(key, iv, ciphertext);
  if (plaintext === undefined) throw damaged("what it holds does not decrypt.");
  return plaintext;
}

async function unpacked({ compressed }: KdbxHeader, octets: Uint8Array): Promise<{ readonly octets: Uint8Array; readonly damaged: boolean }> {
  return compressed ? inflate(octets, "gzip", maxFileOctets) : { octets, damaged: false };
}

/** The inner head: how protected texts are hidden, and the files; the document follows. */
function inner(opened: Uint8Array): Omit<Kdbx, "cut"> {
  const octets = new Octets(opened);
  const files = new Map<string, Uint8Array>();
  let [stream, key]: [number | undefined, Uint8Array | undefined] = [undefined, undefined];
  for (;;) {
    const [kind, length] = [octets.number(1), octets.number(4)];
    const data = length === undefined ? undefined : octets.take(length);
    if (kind === undefined || data === undefined) throw damaged("the inner head of the database is cut off.");
    if (kind === 0) break;
    if (kind === 1) stream = new Octets(data).number(4);
    else if (kind === 2) key = data;
    // The first octet of a file says whether it should be protected in memory.
    else if (kind === 3) files.set(String(files.size), data.subarray(1));
  }
  if (stream !== 3 || key === undefined) throw unsupported(`The texts in this database are hidden in a way that is not read here (${stream ?? "none"}).`, "Save it anew with a current KeePassXC or KeePass.");
  const hash = sha512(key);
  return { xml: octets.rest(), unhide: chaCha20(hash.subarray(0, 32), hash.subarray(32, 44)), files };
}
