import { concatBytes } from "../../src/bytes/equal.ts";
import { utf8 } from "../../src/bytes/text.ts";
import { aesKdf, chaCha20, hmacSha256 } from "../../src/crypto/foreign.ts";
import { sha256, sha512 } from "../../src/crypto/digest.ts";
import { littleEndian } from "../../src/applications/passwords/formats/octets.ts";
import { crc32 } from "../../src/applications/passwords/formats/zip.ts";

/** Puts inputs behind the checks that no chance would pass: true digests and MACs around octets of the fuzzer's choice. */

/** The password of what is dressed here. */
export const PASSWORD = utf8("fuzz");

/** A KDBX 4 file, its key made in one round, that holds these octets: inner head and document. */
export function kdbxOf(inner: Uint8Array): Uint8Array {
  const [masterSeed, iv, seed] = [new Uint8Array(32).fill(1), new Uint8Array(12).fill(2), new Uint8Array(32).fill(3)];
  const value = (kind: number, name: string, octets: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(kind), u32(name.length), utf8(name), u32(octets.length), octets);
  const parameters = concatBytes(Uint8Array.of(0, 1), value(0x42, "$UUID", Uint8Array.fromHex("7c02bb8279a74ac0927d114a00648238")), value(0x05, "R", littleEndian(1n)), value(0x42, "S", seed), Uint8Array.of(0));
  const head = concatBytes(Uint8Array.fromHex("03d9a29a67fb4bb500000400"), kdbxField(2, Uint8Array.fromHex("d6038a2b8b6f4cb5a524339a31dbb59a")), kdbxField(3, u32(0)), kdbxField(4, masterSeed), kdbxField(7, iv), kdbxField(11, parameters), kdbxField(0, utf8("\r\n\r\n")));
  const key = aesKdf(sha256(sha256(PASSWORD)), seed, 1);
  const macKey = sha512(masterSeed, key, Uint8Array.of(1));
  const mac = (index: bigint, ...parts: Uint8Array[]): Uint8Array => hmacSha256(sha512(littleEndian(index), macKey), ...parts);
  const data = chaCha20(sha256(masterSeed, key), iv)(inner);
  const blocks = [...(data.length === 0 ? [] : [data]), new Uint8Array(0)].map((block, index) => concatBytes(mac(BigInt(index), littleEndian(BigInt(index)), u32(block.length), block), u32(block.length), block));
  return concatBytes(head, sha256(head), mac(0xffff_ffff_ffff_ffffn, head), ...blocks);
}

/** One field of a KDBX head. */
export function kdbxField(kind: number, octets: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(kind), u32(octets.length), octets);
}

/** The inner head that hides texts as KeePass does, before a document. */
export function kdbxInner(document: Uint8Array): Uint8Array {
  return concatBytes(kdbxField(1, u32(3)), kdbxField(2, new Uint8Array(64).fill(4)), kdbxField(3, Uint8Array.of(1, 104, 105)), kdbxField(0, new Uint8Array(0)), document);
}

/** A ZIP archive of members that are stored as they are. */
export function zipOf(members: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const [parts, directory]: [Uint8Array[], Uint8Array[]] = [[], []];
  let at = 0;
  for (const [name, octets] of Object.entries(members)) {
    const title = utf8(name);
    const common = concatBytes(u16(20), u16(0x0800), u16(0), u16(0), u16(0x5a21), u32(crc32(octets)), u32(octets.length), u32(octets.length), u16(title.length), u16(0));
    directory.push(utf8("PK\x01\x02"), u16(20), common, u16(0), u16(0), u16(0), u32(0), u32(at), title);
    const part = concatBytes(utf8("PK\x03\x04"), common, title, octets);
    parts.push(part);
    at += part.length;
  }
  const list = concatBytes(...directory);
  const count = Object.keys(members).length;
  return concatBytes(...parts, list, utf8("PK\x05\x06"), u16(0), u16(0), u16(count), u16(count), u32(list.length), u32(at), u16(0));
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >> 8);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
}
