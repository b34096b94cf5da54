import { type FormatName, formats, formatWords } from "../../../applications/passwords/formats/formats.ts";
import type { Failure } from "../../../applications/passwords/formats/item.ts";
import { maxFileOctets } from "../../../applications/passwords/formats/limits.ts";
import type { Plan } from "../../../applications/passwords/formats/plan.ts";
import { type ReadFile, readPasswords } from "../../../applications/passwords/formats/read.ts";
import { utf8 } from "../../../bytes/text.ts";
import { readEntries } from "../../../client/catalog.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { counted } from "../../counted.ts";
import { readOctets } from "../../octets.ts";
import { openClient } from "../../open-client.ts";
import { printable } from "../../printable.ts";
import { ImportedFiles } from "./imported-files.ts";
import { editPasswords } from "./send.ts";

/** From so many items on an import takes more than a second. */
const LONG = 2000;

/** `mesh password import`: { imported, kept, already, renamed, failed: [ { title, why } ], format, sync }; with --dry-run nothing is written. */
export async function run(call: Call): Promise<void> {
  const { args, input, output } = call;
  const path = args.needText("FILE");
  const file = await readPasswords({
    octets: readOctets(path, maxFileOctets, "import-too-large"),
    partial: args.flag("partial"),
    password: async () => utf8(await input.secret("file-password-file", `Password of ${path}`)),
    ...formatIn(args.text("format")),
  });
  output.note(`${path === "-" ? "Standard input" : path} is ${formatWords(file.format)} with ${counted(file.items, "item")}.`);
  if (args.flag("dry-run")) {
    const plan = file.plan(await readEntries(await openClient(call, "offline"), "passwords"));
    return output.receipt({ ...documentOf(file, plan), dryRun: true }, `${sentencesOf(plan, file.format, true)}\nNothing was written.`);
  }
  if (file.items >= LONG && call.world.isTerminal(2)) output.note("Keeping them here and sending them; so many take a moment.");
  const files = new ImportedFiles(await openClient(call, "offline"));
  if (file.hasFiles) await files.keep(file.plan);
  await editPasswords(call, "all", (entries) => {
    const plan = files.attach(file.plan(entries));
    return { changes: plan.changes, done: { document: documentOf(file, plan), sentence: sentencesOf(plan, file.format, false) } };
  });
  if (path !== "-") output.note(`${path} still holds all that was in it; delete it when you need it no more.`);
}

function formatIn(said: string | undefined): { readonly format?: FormatName } {
  if (said === undefined) return {};
  const format = formats.find(({ name }) => name === said);
  demand(format !== undefined, "usage-option-value", `There is no format ${JSON.stringify(said)}.`, `There are: ${formats.map(({ name }) => name).join(", ")}.`);
  return { format: format.name };
}

function documentOf({ format }: ReadFile, { imported, kept, already, renamed, failed }: Plan): Readonly<Record<string, unknown>> {
  return { imported, kept, already, renamed, failed, format };
}

function sentencesOf({ imported, kept, already, renamed, failed }: Plan, format: FormatName, dryRun: boolean): string {
  const lines = [`${dryRun ? "Would import" : "Imported"} ${counted(imported, "item")}.`];
  if (already > 0) lines.push(`${counted(already, "item")} ${already === 1 ? "is" : "are"} here already, equal in all they hold.`);
  if (renamed > 0) lines.push(`${counted(renamed, "item")} ${dryRun ? "would get" : "got"} another name: ${renamed === 1 ? "its" : "their"} own is taken, or is no name.`);
  if (kept > 0) lines.push(`${counted(kept, "item")} ${kept === 1 ? "has" : "have"} parts that Mesh does not understand; they are kept${writtenAgain(format) ? ", and exported again in the same format" : ""}.`);
  if (failed.length > 0) lines.push(failuresText(failed, "could not be imported"));
  return lines.join("\n");
}

/** A database goes out again as an export of the program that reads both. */
function writtenAgain(format: FormatName): boolean {
  return format === "kdbx" || formats.some(({ name, writes }) => name === format && writes);
}

/** Failures, a line each; of very many the first. */
export function failuresText(failed: readonly Failure[], what: string): string {
  const shown = failed.slice(0, 50).map(({ title, why }) => `  ${printable(title)}: ${printable(why)}`);
  return [`${counted(failed.length, "thing")} ${what}:`, ...shown, ...(failed.length > 50 ? [`  ... and ${failed.length - 50} more: --json lists all`] : [])].join("\n");
}
