import { compareBytes, concatBytes, equalBytes } from "../bytes/equal.ts";
import { EMPTY, EMPTY_NODE, goesRight, INNER, isEmptyHash, leafNode, type MapLeaf, type MapNode, nodeAbove, nodeOver, readMapValue, VALUE_OCTETS, writeMapValue } from "./map.ts";
import { type Hash, HASH_OCTETS } from "./merkle.ts";
import type { OctetReader } from "./octets.ts";

/**
 * What shows which leaf, if any, stands where the way of a key ends: the leaf there (its own, another's, or none), and the nodes beside the way, from the top.
 *
 * A node beside the way holds something or nothing; a leaf alone above the end of the way would have risen, so the last one is never empty.
 */
export type MapProof = { readonly end: MapLeaf | undefined; readonly beside: readonly Hash[] };

/** The proof of a key, below a node whose leaves share their first `depth` bits; `beside` are the nodes above, from the top. */
export function proveBelow(leaves: readonly MapLeaf[], depth: number, key: Uint8Array, beside: readonly Hash[]): MapProof {
  if (leaves.length <= 1) return { end: leaves[0], beside };
  const [own, other] = goesRight(key, depth) ? [true, false] : [false, true];
  const at = (side: boolean) => leaves.filter((leaf) => goesRight(leaf.key, depth) === side);
  return proveBelow(at(own), depth + 1, key, [...beside, nodeOver(at(other), depth + 1).hash]);
}

/** The root to which a proof leads; undefined if its leaf does not stand on the way of the key. */
export function rootFromProof(key: Uint8Array, { end, beside }: MapProof): Hash | undefined {
  if (beside.length > key.length * 8 || (end !== undefined && !shares(end.key, key, beside.length))) return undefined;
  let node: MapNode = end === undefined ? EMPTY_NODE : leafNode(end);
  for (let depth = beside.length - 1; depth >= 0; depth--) {
    const hash = beside[depth] as Hash;
    // What stands beside is not known, and need not be: a leaf or more is hashed alike, unless one stands alone above the end.
    const other: MapNode = isEmptyHash(hash) ? EMPTY_NODE : { hash, holds: INNER };
    if (other.holds === EMPTY && node.holds !== INNER) return undefined;
    node = goesRight(key, depth) ? nodeAbove(other, node) : nodeAbove(node, other);
  }
  return node.hash;
}

/** A leaf that a map is to have, and what shows where its way ended before. */
export type Placing = { readonly leaf: MapLeaf; readonly before: MapProof };

/** The root of a map once it has some leaves, no key twice, by what showed each one's way in the map before: whoever has the map needs not be asked. The proofs must lead to one root. */
export function rootWith(placings: readonly Placing[]): Hash {
  return nodeWith(placings, 0).hash;
}

/** The node at a depth over leaves that share so many bits. In the map before it held one leaf at most, where the ways of all of them end, or more, and none of them ends. */
function nodeWith(placings: readonly Placing[], depth: number): MapNode {
  const [first] = placings;
  if (first === undefined) return EMPTY_NODE;
  const { beside, end } = first.before;
  if (beside.length <= depth) {
    const leaves = placings.map(({ leaf }) => leaf);
    const stays = end !== undefined && !leaves.some(({ key }) => equalBytes(key, end.key));
    return nodeOver(stays ? [...leaves, end] : leaves, depth);
  }
  const side = (right: boolean): MapNode => {
    const own = placings.filter(({ leaf }) => goesRight(leaf.key, depth) === right);
    const hash = beside[depth] as Hash;
    // Beside it stands a leaf or more: hashed alike, since on the other side stands one as well.
    return own.length > 0 ? nodeWith(own, depth + 1) : isEmptyHash(hash) ? EMPTY_NODE : { hash, holds: INNER };
  };
  return nodeAbove(side(false), side(true));
}

/** The value that a proof shows for a key: undefined where it shows that there is none. */
export function valueIn(key: Uint8Array, { end }: MapProof): MapLeaf["value"] | undefined {
  return end !== undefined && compareBytes(end.key, key) === 0 ? end.value : undefined;
}

const [NOTHING, OWN, OTHER] = [0, 1, 2];

/** Writes a proof: what stands at the end, how deep that is, which nodes beside the way hold something, and their hashes. */
export function writeMapProof(key: Uint8Array, { end, beside }: MapProof): Uint8Array {
  const own = end !== undefined && equalBytes(end.key, key);
  const head = end === undefined ? [Uint8Array.of(NOTHING)] : [Uint8Array.of(own ? OWN : OTHER), own ? new Uint8Array(0) : end.key, writeMapValue(end.value)];
  const filled = beside.map((hash) => !isEmptyHash(hash));
  const bits = new Uint8Array(Math.ceil(beside.length / 8));
  for (const [at, is] of filled.entries()) if (is) bits[at >> 3] = (bits[at >> 3] as number) | (0x80 >> (at & 7));
  return concatBytes(...head, Uint8Array.of(beside.length), bits, ...beside.filter((_, at) => filled[at]));
}

/** Reads a proof for a key; undefined for octets that {@link writeMapProof} does not write. */
export function readMapProof(key: Uint8Array, reader: OctetReader): MapProof | undefined {
  const kind = reader.uint(1);
  const endKey = kind === OTHER ? reader.take(key.length) : key;
  const octets = kind === NOTHING ? undefined : reader.take(VALUE_OCTETS);
  const value = octets === undefined ? undefined : readMapValue(octets);
  const depth = reader.uint(1);
  const bits = depth === undefined ? undefined : reader.take(Math.ceil(depth / 8));
  if (kind === undefined || kind > OTHER || endKey === undefined || (kind !== NOTHING && value === undefined) || depth === undefined || bits === undefined) return undefined;
  if (kind === OTHER && equalBytes(endKey, key)) return undefined;
  const beside: Hash[] = [];
  for (let at = 0; at < bits.length * 8; at++) {
    const filled = goesRight(bits, at);
    if (at >= depth && filled) return undefined;
    if (at >= depth) continue;
    const hash = filled ? reader.take(HASH_OCTETS) : EMPTY_NODE.hash;
    if (hash === undefined || (filled && isEmptyHash(hash))) return undefined;
    beside.push(hash);
  }
  return { end: value === undefined ? undefined : { key: endKey, value }, beside };
}

function shares(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let at = 0; at < bits; at++) if (goesRight(a, at) !== goesRight(b, at)) return false;
  return true;
}
