import { concatBytes } from "../../../src/bytes/equal.ts";

/** Cuts away of an input all that is not needed for something to be still so, within a number of tries. */
export async function minimise(input: Uint8Array, isSo: (input: Uint8Array) => Promise<boolean>, tries: number): Promise<Uint8Array> {
  let least = input;
  let left = tries;
  for (let size = Math.ceil(input.length / 2); size >= 1 && left > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < least.length && left > 0; left--) {
      const shorter = concatBytes(least.subarray(0, at), least.subarray(at + size));
      if (await isSo(shorter)) least = shorter;
      else at += size;
    }
  }
  return least;
}
