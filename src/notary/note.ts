import { fromBase64, toBase64 } from "../bytes/base64.ts";
import { concatBytes } from "../bytes/equal.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { demand } from "../refusals/mesh-error.ts";
import { uint32 } from "./octets.ts";
import { readOr } from "./reading.ts";

/** A signature on a note, by whichever key has this name and identifier; nobody has checked it. */
export type NoteSignature = { readonly name: string; readonly id: number; readonly octets: Uint8Array };

/** A signed note (C2SP signed-note): its text, which ends with a line end, and at least one signature. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** The most octets of a note: sixteen signatures must be taken; composites have close to 5 kB each. */
export const MAX_NOTE = 256 * 1024;
const MAX_SIGNATURES = 64;

const DASH = "\u2014 ";
const ID_OCTETS = 4;
// Every space that Unicode knows, and the plus that separates the parts of a key's text.
const NAME = /^[^\s\p{White_Space}+]+$/u;
// oxlint-disable-next-line no-control-regex -- that these are in no note is the rule.
const CONTROL = /[\0-\x09\x0b-\x1f]/;

/** Reads a note; `note-malformed` for whatever is not in its one spelling. It verifies nothing. */
export function readNote(octets: Uint8Array): Note {
  const { text, lines } = splitNote(octets);
  return { text, signatures: readSignatureLines(lines) };
}

/** The text of a note and, unread, the lines of its signatures; `note-malformed` if they are not set apart. */
export function splitNote(octets: Uint8Array): { readonly text: string; readonly lines: string } {
  demand(octets.length <= MAX_NOTE, "note-malformed", `A note has at most ${MAX_NOTE} octets.`);
  const whole = readOr("note-malformed", "A note is UTF-8 text.", () => fromUtf8(octets));
  demand(!CONTROL.test(whole), "note-malformed", "A note has no control characters but line ends.");
  const end = whole.lastIndexOf("\n\n");
  demand(end >= 0 && whole.endsWith("\n"), "note-malformed", "A note is a text, an empty line and signatures, each line with its end.");
  return { text: whole.slice(0, end + 1), lines: whole.slice(end + 2) };
}

/** Reads lines of signatures alone: what stands below a note's text, and what a witness answers. */
export function readSignatureLines(text: string): readonly NoteSignature[] {
  demand(text.endsWith("\n"), "note-malformed", "A line of a signature has an end.");
  const lines = text.slice(0, -1).split("\n", MAX_SIGNATURES + 1);
  demand(lines.length <= MAX_SIGNATURES, "note-malformed", `A note has at most ${MAX_SIGNATURES} signatures.`);
  return lines.map(readSignature);
}

/** Writes a note, octet for octet what {@link readNote} reads. */
export function writeNote({ text, signatures }: Note): Uint8Array {
  return utf8(`${text}\n${writeSignatureLines(signatures)}`);
}

/** Writes lines of signatures alone. */
export function writeSignatureLines(signatures: readonly NoteSignature[]): string {
  return signatures.map(({ name, id, octets }) => `${DASH}${name} ${toBase64(concatBytes(uint32(id), octets))}\n`).join("");
}

/** Whether a text can be the name of a key: not empty, no space, no plus. */
export function isKeyName(name: string): boolean {
  return name.isWellFormed() && NAME.test(name) && !CONTROL.test(name);
}

function readSignature(line: string): NoteSignature {
  const [, name = "", signature = ""] = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  demand(isKeyName(name), "note-malformed", "A line of a signature is a dash, the name of a key, and base64.");
  const octets = readOr("note-malformed", "A signature in a note is base64 in its one spelling.", () => fromBase64(signature));
  demand(octets.length > ID_OCTETS, "note-malformed", "A signature in a note is longer than the identifier of its key.");
  return { name, id: new DataView(octets.buffer, octets.byteOffset).getUint32(0), octets: octets.subarray(ID_OCTETS) };
}
