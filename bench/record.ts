import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { Measurement } from "./bench.ts";

const [BEGIN, END] = ["<!-- measured -->", "<!-- /measured -->"];
const HEAD = ["| bench | what | value | bar | | against | when |", "|---|---|---|---|---|---|---|"];

/** Writes what was measured into the table of a document, between its markers; rows of benches that did not run stay as they are. */
export function record(path: string, measured: ReadonlyMap<string, readonly Measurement[]>): void {
  const text = readFileSync(path, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${path} has no place for what is measured: ${BEGIN} ... ${END}`);
  const kept = text.slice(begin, end).split("\n").filter((line) => line.startsWith("| `") && !measured.has(line.split("`")[1] ?? ""));
  const fresh = [...measured].flatMap(([bench, all]) => all.map((one) => rowOf(bench, one)));
  const rows = [...kept, ...fresh].sort((a, b) => (a.split("`")[1] ?? "").localeCompare(b.split("`")[1] ?? ""));
  writeFileSync(path, `${text.slice(0, begin)}${BEGIN}\n${[...HEAD, ...rows].join("\n")}\n${text.slice(end)}`);
}

function rowOf(bench: string, { name, value, unit, bar, holds, against }: Measurement): string {
  const cells = [`\`${bench}\``, name, `${shown(value)} ${unit}`.trim(), barCell(bar), bar === undefined ? "" : holds ? "holds" : "**fails**", against, whenAndWhere()];
  return `| ${cells.map((cell) => cell.replaceAll("|", "/")).join(" | ")} |`;
}

function whenAndWhere(): string {
  return `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}`;
}

/** A bar as tables show it; nothing where a number is held to none. */
export function barCell(bar: number | undefined): string {
  return bar === undefined ? "" : String(shown(bar));
}

/** A number as tables show it: four digits that count. */
export function shown(value: number): number {
  return Number(value.toPrecision(4));
}
