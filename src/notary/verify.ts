import { equalBytes } from "../bytes/equal.ts";
import { type Hash, HASH_OCTETS, isCount, nodeHash } from "./merkle.ts";
import { splitOf } from "./prove.ts";

/** Whether a leaf is at an index of the tree of `size` leaves with that root (RFC 9162 §2.1.3.2); false for whatever is malformed. */
export function verifyInclusion(leaf: Hash, index: number, size: number, root: Hash, proof: readonly Hash[]): boolean {
  const found = rootFromInclusion(leaf, index, size, proof);
  return found !== undefined && equalBytes(found, root);
}

/** The root to which an audit path leads; undefined if it is no path for such an index and size. */
export function rootFromInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[]): Hash | undefined {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, ...proof])) return undefined;
  let [at, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      [at, last] = risen(at, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? hash : undefined;
}

/** The root to which a run of leaves from an index on leads, with the hashes beside it from left to right; undefined if they are none for such a run and size. */
export function rootFromRun(leaves: readonly Hash[], from: number, size: number, proof: readonly Hash[]): Hash | undefined {
  const end = from + leaves.length;
  if (!isCount(from) || !isCount(size) || leaves.length === 0 || end > size || !areHashes([...leaves, ...proof])) return undefined;
  const left = proof.values();
  const over = (first: number, last: number): Hash | undefined => {
    if (last <= from || end <= first) return left.next().value;
    if (last - first === 1) return leaves[first - from];
    const middle = first + splitOf(last - first);
    const [one, other] = [over(first, middle), over(middle, last)];
    return one === undefined || other === undefined ? undefined : nodeHash(one, other);
  };
  const root = over(0, size);
  return left.next().done === true ? root : undefined;
}

/** Whether the tree of `size` leaves begins with that of `before` leaves, at least one (RFC 9162 §2.1.4.2); false for whatever is malformed. */
export function verifyConsistency(before: number, size: number, rootBefore: Hash, root: Hash, proof: readonly Hash[]): boolean {
  if (!isCount(before) || !isCount(size) || before < 1 || before > size || !areHashes(proof)) return false;
  if (before === size) return proof.length === 0 && equalBytes(rootBefore, root);
  // A tree that was complete is itself the first node; the proof does not repeat it.
  const path = isPowerOfTwo(before) ? [rootBefore, ...proof] : proof;
  const [first] = path;
  if (first === undefined || first.length !== HASH_OCTETS) return false;
  let [at, last, hashBefore, hash] = [before - 1, size - 1, first, first];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hashBefore = nodeHash(sibling, hashBefore);
      hash = nodeHash(sibling, hash);
      [at, last] = risen(at, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equalBytes(hashBefore, rootBefore) && equalBytes(hash, root);
}

/** Past the levels at which the node is the last and stands alone, so that it moves up without a hash. */
function risen(at: number, last: number): [number, number] {
  let [node, end] = [at, last];
  while (node % 2 === 0 && node !== 0) [node, end] = [half(node), half(end)];
  return [node, end];
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_OCTETS);
}
