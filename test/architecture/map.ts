import { type Room, rooms } from "./rooms.ts";

/** The table of docs/map.md, drawn from the rows of rooms.ts, bottom up. */
export function drawMap(table: Readonly<Record<string, Room>> = rooms): string {
  const rows = Object.entries(table).map(([room, row]) => {
    const types = (row.types ?? []).map((file) => `${file} (types)`);
    const sees = row.sees.includes("*") ? "everything" : [...row.sees, ...types].join(", ");
    const outside = [...(row.packages ?? []), ...(row.node ?? []).map((module) => (module === "*" ? "node:* but crypto and ffi" : `node:${module}`))].join(", ");
    return `| ${room} | ${row.pure ? "pure" : "shell"} | ${row.is} | ${sees || "-"} | ${outside || "-"} |`;
  });
  return ["| room | | what it is for | may look into | from outside |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** Puts the drawn table between the two marks of the document. */
export function withMap(document: string): string {
  return document.replace(/(<!-- rooms -->\n)[\s\S]*?(\n<!-- \/rooms -->)/, (_, open: string, close: string) => `${open}${drawMap()}${close}`);
}
