// npm run bench [-- NAME...] [--json] [--write]: runs bench/NAME.bench.ts, one after the other, and says which bars hold; --write puts it into docs/performance.md.
import { fork } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { Bench, Measurement } from "./bench.ts";
import { barCell, record, shown } from "./record.ts";

const { values, positionals } = parseArgs({ options: { json: { type: "boolean", default: false }, write: { type: "boolean", default: false } }, allowPositionals: true });
const there = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".bench.ts")).map((file) => file.replace(".bench.ts", ""));
const unknown = positionals.filter((name) => !there.includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}. There are: ${there.join(", ")}.`);
  process.exit(2);
}

const all = new Map<string, readonly Measurement[]>();
for (const name of positionals.length > 0 ? positionals : there) {
  const file = join(import.meta.dirname, `${name}.bench.ts`);
  const { bench } = (await import(file)) as { bench: Bench };
  if (!values.json) console.log(`\n${bench.name}: ${bench.about}`);
  const measured = await runAlone(file);
  if (!values.json) console.log(table(measured));
  all.set(name, measured);
}
const flat = [...all.values()].flat();
if (values.json) console.log(JSON.stringify(flat.map((one) => ({ ...one, value: shown(one.value), bar: one.bar ?? null })), undefined, 2));
if (values.write) record(join(dirname(import.meta.dirname), "docs", "performance.md"), all);
process.exitCode = flat.every((one) => one.holds) ? 0 : 1;

function runAlone(file: string): Promise<readonly Measurement[]> {
  return new Promise((done, fail) => {
    const child = fork(join(import.meta.dirname, "one.ts"), [file]);
    child.once("message", (measured) => done(measured as readonly Measurement[]));
    child.once("exit", (status) => fail(new Error(`the bench ended (${status})`)));
  });
}

function table(measured: readonly Measurement[]): string {
  const rows = measured.map(({ name, value, unit, bar, holds, against }) => [bar === undefined ? "" : holds ? "holds" : "FAILS", name, `${shown(value)} ${unit}`, bar === undefined ? "" : `bar ${barCell(bar)}`, against]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}`).join("\n");
}
