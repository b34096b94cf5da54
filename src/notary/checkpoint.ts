import { fromBase64, toBase64 } from "../bytes/base64.ts";
import { utf8 } from "../bytes/text.ts";
import { demand } from "../refusals/mesh-error.ts";
import { type Hash, HASH_OCTETS, isCount } from "./merkle.ts";
import { readOr } from "./reading.ts";

/** What a log says of itself: who it is, how many entries it has, and the root over them (C2SP tlog-checkpoint). */
export type Checkpoint = {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
  /** Lines that other logs add. We write none, and nothing of ours is in them: the ML-DSA-44 signature does not cover them. */
  readonly extensions: readonly string[];
};

const MAX_ORIGIN = 255;
const MAX_EXTENSIONS = 16;
const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** Reads the text of a note that is a checkpoint; `note-malformed` for any other. A size beyond 2^53 - 1 is refused, since no log of ours has it. */
export function readCheckpoint(text: string): Checkpoint {
  demand(text.endsWith("\n"), "note-malformed", "A checkpoint's lines have their ends.");
  const [origin = "", size = "", root = "", ...extensions] = text.slice(0, -1).split("\n", 4 + MAX_EXTENSIONS);
  demand(isOrigin(origin), "note-malformed", "A checkpoint begins with its log's origin, of 1 to 255 octets.");
  demand(extensions.length <= MAX_EXTENSIONS && !extensions.includes(""), "note-malformed", `A checkpoint has at most ${MAX_EXTENSIONS} lines besides its three, none of them empty.`);
  return { origin, size: readDecimal(size), root: readHash(root), extensions };
}

/** Writes the text of a checkpoint, octet for octet what {@link readCheckpoint} reads. */
export function writeCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, size.toString(), toBase64(root), ...extensions].map((line) => `${line}\n`).join("");
}

/** Whether a text can be the origin of a log: one line of 1 to 255 octets. */
export function isOrigin(text: string): boolean {
  return text !== "" && text.length <= MAX_ORIGIN && !text.includes("\n") && text.isWellFormed() && utf8(text).length <= MAX_ORIGIN;
}

/** Reads a decimal number in its one spelling, up to 2^53 - 1; `note-malformed` for any other text. */
export function readDecimal(text: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  demand(isCount(value), "note-malformed", "A size or index is a decimal number without zeros before it, up to 2^53 - 1.");
  return value;
}

/** Reads a hash on a line of its own; `note-malformed` unless it is base64 of 32 octets. */
export function readHash(text: string): Hash {
  const hash = text.length > 2 * HASH_OCTETS ? undefined : readOr("note-malformed", "A hash is base64 in its one spelling.", () => fromBase64(text));
  demand(hash?.length === HASH_OCTETS, "note-malformed", "A hash is base64 of 32 octets.");
  return hash;
}
