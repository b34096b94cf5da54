import { utf8 } from "../bytes/text.ts";
import { sha256, sha256Into } from "../crypto/digest.ts";
import { type Hash, HASH_OCTETS } from "./merkle.ts";
import { OctetReader } from "./octets.ts";

/**
 * What the map tells of: the newest Master Profile of an identifier, its newest Personal Profile, or the suspensions that arrived for it.
 *
 * In this order in proofs, from 1.
 */
export const mapKinds = ["master", "personal", "suspensions"] as const;
export type MapKind = (typeof mapKinds)[number];

/** The newest of its kind: version (g, n), digest, and which entry of the log said so. Of a Master Profile n is 0; of suspensions g is, and n their number. */
export type MapValue = { readonly g: number; readonly n: number; readonly index: number; /** SHA-512, 64 octets. */ readonly digest: Uint8Array };

/** One leaf of the map. */
export type MapLeaf = { readonly key: Uint8Array; readonly value: MapValue };

/** What stands at a node: nothing, one leaf alone, or more than one. Leaves rise to where they stand alone. */
export const EMPTY = 0;
export const LEAF = 1;
export const INNER = 2;

/** A node of the map: its hash, and what stands there. */
export type MapNode = { readonly hash: Hash; readonly holds: typeof EMPTY | typeof LEAF | typeof INNER };

export const EMPTY_NODE: MapNode = { hash: new Uint8Array(HASH_OCTETS), holds: EMPTY };

/** Whether a hash is that of nothing. */
export function isEmptyHash(hash: Hash): boolean {
  return hash.every((octet) => octet === 0);
}

const DIGEST_OCTETS = 64;
/** Octets of a value: g and n (4 each), index (8), digest (64). */
export const VALUE_OCTETS = 16 + DIGEST_OCTETS;

/** Where an identifier stands in the map: SHA-256("mesh/map/v1/" kind "/" identifier). */
export function mapKey(kind: MapKind, id: string): Uint8Array {
  return sha256(utf8(`mesh/map/v1/${kind}/${id}`));
}

/** A value as the leaf commits to it. */
export function writeMapValue({ g, n, index, digest }: MapValue): Uint8Array {
  if (digest.length !== DIGEST_OCTETS) throw new RangeError("a digest in the map has 64 octets");
  const octets = new Uint8Array(VALUE_OCTETS);
  const view = new DataView(octets.buffer);
  view.setUint32(0, g);
  view.setUint32(4, n);
  view.setBigUint64(8, BigInt(index));
  octets.set(digest, VALUE_OCTETS - DIGEST_OCTETS);
  return octets;
}

/** Reads a value; undefined for any other octets. */
export function readMapValue(octets: Uint8Array): MapValue | undefined {
  const reader = new OctetReader(octets);
  const [g, n, index, digest] = [reader.uint(4), reader.uint(4), reader.uint(8), reader.take(DIGEST_OCTETS)];
  return g === undefined || n === undefined || index === undefined || digest === undefined || !reader.isAtEnd ? undefined : { g, n, index, digest };
}

// One of each for all, since a hash is made before anything else can run. Their first octets keep the map's nodes apart from the tree's.
const [single, pair] = [new Uint8Array(1 + HASH_OCTETS + VALUE_OCTETS), new Uint8Array(1 + 2 * HASH_OCTETS)];
[single[0], pair[0]] = [0x02, 0x03];

/** The node of one leaf alone: SHA-256(0x02 ‖ key ‖ value). */
export function leafNode({ key, value }: MapLeaf): MapNode {
  const hash = new Uint8Array(HASH_OCTETS);
  single.set(key, 1);
  single.set(writeMapValue(value), 1 + HASH_OCTETS);
  sha256Into(hash, 0, single);
  return { hash, holds: LEAF };
}

/** Writes the hash of an inner node, SHA-256(0x03 ‖ left ‖ right), given both side by side in `from` at `at`. */
export function innerHashInto(target: Uint8Array, to: number, from: Uint8Array, at: number): void {
  // Octet by octet: a view of them would cost more than copying them.
  for (let octet = 0; octet < 2 * HASH_OCTETS; octet++) pair[1 + octet] = from[at + octet] as number;
  sha256Into(target, to, pair);
}

/** What stands above two nodes, at least one of them: a leaf alone rises as it is. */
export function holdsAbove(left: MapNode["holds"], right: MapNode["holds"]): MapNode["holds"] {
  return left + right >= INNER ? INNER : left + right === LEAF ? LEAF : EMPTY;
}

/** The node above two nodes. */
export function nodeAbove(left: MapNode, right: MapNode): MapNode {
  const holds = holdsAbove(left.holds, right.holds);
  if (holds !== INNER) return left.holds === LEAF ? left : right;
  const hash = new Uint8Array(HASH_OCTETS);
  pair.set(left.hash, 1);
  pair.set(right.hash, 1 + HASH_OCTETS);
  sha256Into(hash, 0, pair);
  return { hash, holds };
}

/** Bit `depth` of a key, from the top: whether its way goes right there. */
export function goesRight(key: Uint8Array, depth: number): boolean {
  return (((key[depth >> 3] as number) >> (7 - (depth & 7))) & 1) === 1;
}

/** The node over leaves whose keys share their first `depth` bits, no key twice. */
export function nodeOver(leaves: readonly MapLeaf[], depth: number): MapNode {
  const [first] = leaves;
  if (first === undefined) return EMPTY_NODE;
  if (leaves.length === 1) return leafNode(first);
  if (depth >= first.key.length * 8) throw new RangeError("a key stands in the map twice");
  return nodeAbove(nodeOver(leaves.filter(({ key }) => !goesRight(key, depth)), depth + 1), nodeOver(leaves.filter(({ key }) => goesRight(key, depth)), depth + 1));
}
