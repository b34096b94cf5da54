import { printable } from "./printable.ts";

let segmenter: Intl.Segmenter | undefined;

/** The characters as people see them. */
function graphemes(text: string): readonly string[] {
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), (one) => one.segment);
}

// East Asian wide and fullwidth (UAX #11), in blocks; an emoji is wide however many code points it has.
const wide = /^(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{17000}-\u{18CFF}\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}])/u;

function widthOfOne(grapheme: string): number {
  return wide.test(grapheme) ? 2 : /^[\p{M}\p{Cf}]+$/u.test(grapheme) ? 0 : 1;
}

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return graphemes(text).reduce((sum, grapheme) => sum + widthOfOne(grapheme), 0);
}

/** Cuts a text to at most `columns`, with an ellipsis where something is missing. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const grapheme of graphemes(text)) {
    width += widthOfOne(grapheme);
    if (width > columns - 1) break;
    kept += grapheme;
  }
  return `${kept.trimEnd()}…`;
}

/** Adds spaces up to a width. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

/**
 * Lays rows out in columns two spaces apart, under capital headings; columns that are empty throughout are left out.
 *
 * With `columns`, the width of a terminal, the widest columns are cut until all fit; without it nothing is.
 */
export function tabulate(headings: readonly string[], rows: readonly (readonly string[])[], columns?: number): string {
  const used = headings.map((_, place) => place).filter((place) => rows.some((row) => (row[place] ?? "") !== ""));
  const cells = [headings, ...rows].map((row) => used.map((place) => printable(row[place] ?? "")));
  const widths = used.map((_, place) => Math.max(...cells.map((row) => widthOf(row[place] ?? ""))));
  if (columns !== undefined) shrink(widths, columns - 2 * (widths.length - 1));
  return cells.map((row) => row.map((cell, place) => padTo(cut(cell, widths[place] ?? 0), widths[place] ?? 0)).join("  ").trimEnd()).join("\n");
}

function shrink(widths: number[], room: number): void {
  for (;;) {
    const widest = Math.max(...widths);
    if (widths.reduce((sum, one) => sum + one, 0) <= room || widest <= 8) return;
    widths[widths.indexOf(widest)] = widest - 1;
  }
}

/** Breaks a paragraph into lines of at most `columns`, each after `indent`. */
export function wrap(text: string, columns: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(`${indent}${line} ${word}`) > columns) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, indent + line].join("\n");
}
