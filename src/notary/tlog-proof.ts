import { fromBase64, toBase64 } from "../bytes/base64.ts";
import { concatBytes } from "../bytes/equal.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { demand } from "../refusals/mesh-error.ts";
import { readDecimal, readHash } from "./checkpoint.ts";
import type { Hash } from "./merkle.ts";
import { readWhole } from "./reading.ts";

/** A proof that an entry is in a log, to be checked without asking anybody (C2SP tlog-proof). */
export type TlogProof = {
  /** What belongs to the entry besides; nothing vouches for it. */
  readonly extra: Uint8Array | undefined;
  readonly index: number;
  readonly path: readonly Hash[];
  /** The checkpoint as it was signed, octet for octet. */
  readonly checkpoint: Uint8Array;
};

const HEAD = "c2sp.org/tlog-proof@v1";
/** The most octets of a proof. */
export const MAX_PROOF = 512 * 1024;
/** A tree of 2^53 leaves is so high. */
const MAX_PATH = 53;

/** Reads a proof; `log-proof-malformed` for whatever is not in its form. It checks nothing; the checkpoint is not read. */
export function readTlogProof(octets: Uint8Array): TlogProof {
  demand(octets.length <= MAX_PROOF, "log-proof-malformed", `A proof has at most ${MAX_PROOF} octets.`);
  return readWhole("log-proof-malformed", "proof", () => {
    const text = fromUtf8(octets);
    const end = text.indexOf("\n\n");
    const [head, ...lines] = text.slice(0, Math.max(0, end)).split("\n", MAX_PATH + 4);
    demand(head === HEAD, "log-proof-malformed", `A proof begins with ${HEAD}.`);
    const extra = lines[0]?.startsWith("extra ") ? fromBase64((lines.shift() as string).slice("extra ".length)) : undefined;
    const index = lines.shift();
    demand(index?.startsWith("index ") === true, "log-proof-malformed", "A proof says the index of its entry.");
    demand(lines.length <= MAX_PATH, "log-proof-malformed", `A proof has at most ${MAX_PATH} hashes.`);
    return { extra, index: readDecimal(index.slice("index ".length)), path: lines.map(readHash), checkpoint: utf8(text.slice(end + 2)) };
  });
}

/** Writes a proof, octet for octet what {@link readTlogProof} reads. */
export function writeTlogProof({ extra, ...rest }: TlogProof): Uint8Array {
  return joinTlogProof(extra, endOfTlogProof(rest));
}

/** All of a proof behind its `extra`: what many proofs of one entry have alike. */
export function endOfTlogProof({ index, path, checkpoint }: Omit<TlogProof, "extra">): Uint8Array {
  return concatBytes(utf8(`${[`index ${index}`, ...path.map(toBase64)].join("\n")}\n\n`), checkpoint);
}

/** A proof of its `extra` and all that comes behind. */
export function joinTlogProof(extra: Uint8Array | undefined, end: Uint8Array): Uint8Array {
  return concatBytes(utf8(extra === undefined ? `${HEAD}\n` : `${HEAD}\nextra ${toBase64(extra)}\n`), end);
}
