import { type FormatName, formats, formatWords } from "../../../applications/passwords/formats/formats.ts";
import type { Failure } from "../../../applications/passwords/formats/item.ts";
import { maxFileOctets } from "../../../applications/passwords/formats/limits.ts";
import type { Plan } from "../../../applications/passwords/formats/plan.ts";
import { type ReadFile, readPasswords } from "../../../applications/passwords/formats/read.ts";
import { utf8 } from "../../../bytes/text.ts";
import { readEntries } from "../../../client/catalog.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { readOctets } from "../../octets.ts";
import { openClient } from "../../open-client.ts";
import { printable } from "../../printable.ts";
import { ImportedFiles } from "./imported-files.ts";
import { editPasswords } from "./send.ts";

/** `mesh password import`: { imported, kept, already, renamed, failed: [ { title, why } ], format, sync }; with --dry-run nothing is written. */
export async function run(call: Call): Promise<void> {
  const { args, input, output } = call;
  const path = args.needText("FILE");
  const file = await readPasswords({
    octets: readOctets(path, maxFileOctets),
    partial: args.flag("partial"),
    password: async () => utf8(await input.secret("file-password-file", `Password of ${path}`)),
    ...formatIn(args.text("format")),
  });
  output.note(`${path === "-" ? "Standard input" : path} is ${formatWords(file.format)} with ${counted(file.items, "item")}.`);
  if (args.flag("dry-run")) {
    const plan = file.plan(await readEntries(await openClient(call, "offline"), "passwords"));
    return output.receipt({ ...documentOf(file, plan), dryRun: true }, `${sentencesOf(plan, "Would import")}\nNothing was written.`);
  }
  const files = new ImportedFiles(await openClient(call, "offline"));
  await files.keep(file.plan);
  await editPasswords(call, "all", (entries) => {
    const plan = files.attach(file.plan(entries));
    return { changes: plan.changes, done: { document: documentOf(file, plan), sentence: sentencesOf(plan, "Imported") } };
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

function sentencesOf({ imported, kept, already, renamed, failed }: Plan, did: string): string {
  const lines = [`${did} ${counted(imported, "item")}.`];
  if (already > 0) lines.push(`${counted(already, "item")} ${already === 1 ? "was" : "were"} here already, equal in all they hold.`);
  if (renamed > 0) lines.push(`${counted(renamed, "item")} got another name, since theirs was taken or is no name.`);
  if (kept > 0) lines.push(`${counted(kept, "item")} ${kept === 1 ? "has" : "have"} parts that Mesh does not understand; they are kept, and exported again in the same format.`);
  if (failed.length > 0) lines.push(failuresText(failed, "could not be imported"));
  return lines.join("\n");
}

/** Failures, a line each; of very many the first. */
export function failuresText(failed: readonly Failure[], what: string): string {
  const shown = failed.slice(0, 50).map(({ title, why }) => `  ${printable(title)}: ${printable(why)}`);
  return [`${counted(failed.length, "thing")} ${what}:`, ...shown, ...(failed.length > 50 ? [`  ... and ${failed.length - 50} more: --json lists all`] : [])].join("\n");
}

/** A number and its noun. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
