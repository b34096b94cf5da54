// Controls (an entry may carry an escape sequence that rewrites the terminal), marks that reorder text, and lone surrogates.
const unsafe = /[\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** Text that is safe to show on one line: whatever would move, recolour or reorder is spelt out. */
export function printable(text: string): string {
  return text.replaceAll(unsafe, (character) => (character === "\n" ? "\\n" : character === "\t" ? "\\t" : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`));
}

/** As `printable`, but lines stay lines and tabs stay tabs. */
export function printableLines(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(unsafe, (character) => (character === "\n" || character === "\t" ? character : printable(character)));
}

/** A JSON document for standard output: two spaces deep, and safe on a terminal too, which JSON alone is not. */
export function jsonText(document: unknown): string {
  return JSON.stringify(document, undefined, 2).replaceAll(/[\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
