import { damaged } from "./damage.ts";

/** A table as it was read; `damage` says where reading ended early, if it did. */
export type Table = { readonly rows: readonly (readonly string[])[]; readonly damage: string | undefined };

const MAX_COLUMNS = 64;

/**
 * Reads comma-separated values (RFC 4180): quotes double themselves, lines end in LF or CR LF, lines with nothing are passed over.
 *
 * A quote that never closes or stands within a bare value ends the reading; the rows before it are there.
 */
export function readCsv(text: string): Table {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  const broken = (why: string): Table => ({ rows, damage: `${why}, in row ${rows.length + 1}` });
  while (at < text.length) {
    if (text.charAt(at) === '"') {
      const end = closing(text, at + 1);
      if (end < 0) return broken("a quote is never closed");
      row.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
    } else {
      const end = endOfBare(text, at);
      const value = text.slice(at, end);
      if (value.includes('"')) return broken("a quote stands within a value");
      row.push(value);
      at = end;
    }
    if (row.length > MAX_COLUMNS) return broken(`there are more than ${MAX_COLUMNS} columns`);
    const next = text.charAt(at);
    if (next === ",") {
      at++;
      if (at < text.length) continue;
      row.push("");
    } else if (next === "\r" && text.charAt(at + 1) === "\n") at += 2;
    else if (next === "\n" || next === "") at++;
    else return broken("something follows a closing quote");
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return { rows, damage: undefined };
}

/** Writes a table with LF at the end of lines, quoting what must be, or with `always` every value. */
export function writeCsv(rows: readonly (readonly string[])[], always: boolean): string {
  const written = (value: string): string => (always || /[",\r\n]|^\s|\s$/u.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return rows.map((row) => `${row.map(written).join(",")}\n`).join("");
}

/** The rows below the headings, each as heading to value; a row of another length is a failure named by the caller. */
export function headed(table: Table): { readonly headings: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const [headings, ...rows] = table.rows;
  if (headings === undefined) throw damaged("there is nothing in this table.");
  return { headings: headings.map((heading) => heading.trim()), rows };
}

function closing(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 2)) if (text.charAt(end + 1) !== '"') return end;
  return -1;
}

function endOfBare(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2c || code === 0x0a || (code === 0x0d && text.charCodeAt(at + 1) === 0x0a)) return at;
  }
  return text.length;
}
