import { damaged, unsupported } from "./damage.ts";
import { inflate } from "./inflate.ts";
import { maxFileOctets } from "./limits.ts";
import { Octets } from "./octets.ts";

/** One member of an archive, as its directory tells it. */
type Member = { readonly name: string; readonly method: number; readonly crc: number; readonly packed: number; readonly size: number; readonly at: number };

const MAX_MEMBERS = 20_000;
const [END, DIRECTORY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];

/**
 * A ZIP archive (PKWARE's APPNOTE 6.3): members stored or deflated, found by its directory; none encrypted, none over 4 GiB.
 *
 * All that is unpacked of one archive together is at most 256 MiB (`import-too-large`).
 */
export class Zip {
  readonly #file: Uint8Array;
  readonly #members: ReadonlyMap<string, Member>;
  #room = maxFileOctets;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#members = new Map(membersOf(file).map((member) => [member.name, member]));
  }

  /** The names of the members. */
  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** A member's octets, and whether they are what its directory says; undefined if there is none. */
  async read(name: string): Promise<{ readonly octets: Uint8Array; readonly damaged: boolean } | undefined> {
    const member = this.#members.get(name);
    if (member === undefined) return undefined;
    const local = new Octets(this.#file, member.at);
    const [signature, , nameLength, extraLength] = [local.number(4), local.take(22), local.number(2), local.number(2)];
    const packed = nameLength === undefined || extraLength === undefined || local.take(nameLength + extraLength) === undefined ? undefined : local.take(member.packed);
    if (signature !== LOCAL || packed === undefined) throw damaged("a member of the archive is not where its directory says.");
    const unpacked = member.method === 0 ? { octets: packed, damaged: false } : await inflate(packed, "deflate-raw", Math.min(this.#room, member.size + 1));
    this.#room -= unpacked.octets.length;
    return { octets: unpacked.octets, damaged: unpacked.damaged || unpacked.octets.length !== member.size || crc32(unpacked.octets) !== member.crc };
  }
}

function membersOf(file: Uint8Array): readonly Member[] {
  const end = endOf(file);
  const [count, , at] = [end.number(2), end.number(4), end.number(4)];
  if (count === undefined || at === undefined || count > MAX_MEMBERS) throw damaged("the directory of the archive is malformed.");
  const octets = new Octets(file, Math.min(at, file.length));
  return Array.from({ length: count }, () => memberFrom(octets));
}

/** The record that ends an archive, a comment of up to 64 KiB after it; positioned at the number of members. */
function endOf(file: Uint8Array): Octets {
  for (let at = file.length - 22; at >= Math.max(0, file.length - 22 - 0xffff); at--) {
    const octets = new Octets(file, at);
    if (octets.number(4) !== END) continue;
    octets.take(6);
    return octets;
  }
  throw damaged("the directory of the archive is missing.");
}

function memberFrom(octets: Octets): Member {
  const signature = octets.number(4);
  octets.take(4);
  const [flags, method] = [octets.number(2), octets.number(2)];
  octets.take(4);
  const [crc, packed, size, nameLength, extraLength, commentLength] = [octets.number(4), octets.number(4), octets.number(4), octets.number(2), octets.number(2), octets.number(2)];
  octets.take(8);
  const [at, name] = [octets.number(4), nameLength === undefined ? undefined : octets.take(nameLength)];
  const rest = extraLength === undefined || commentLength === undefined ? undefined : octets.take(extraLength + commentLength);
  if (signature !== DIRECTORY || flags === undefined || method === undefined || crc === undefined || packed === undefined || size === undefined || at === undefined || name === undefined || rest === undefined) throw damaged("the directory of the archive is cut off.");
  if ((flags & 1) !== 0 || (method !== 0 && method !== 8)) throw unsupported("The archive is encrypted, or packed in a way that is not read here.", "Export it anew with the program that made it.");
  // Old archives name members in another alphabet: such a name is none that is looked for.
  return { name: new TextDecoder().decode(name), method, crc, packed, size, at };
}

const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The check of ZIP and gzip (ISO 3309). */
export function crc32(octets: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const octet of octets) crc = (table[(crc ^ octet) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}
