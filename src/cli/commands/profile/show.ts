import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { judgeArchived } from "../../../archive-2017/judge.ts";
import { parseLenient } from "../../../archive-2017/lenient-json.ts";
import { type ArchivedSigned, isArchived, readArchived } from "../../../archive-2017/signed.ts";
import { examine } from "../../../client/examine/examine.ts";
import type { Read } from "../../../client/examine/kinds.ts";
import { MAX_EXAMINED, MAX_OBJECT, parseExamined, readAll, readAny } from "../../../client/examine/read.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { readOctets } from "../../octets.ts";
import { archivedDocument, archivedText, refusalOf } from "./archived.ts";
import { objectDocument, objectText } from "./object.ts";
import { showOwn } from "./own.ts";

const MAX_FILES = 512;

/** `mesh profile show [FILE]`: any signed object, judged by itself and by what comes with it; all of it before any refusal. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const path = args.text("FILE");
  if (path === undefined) {
    demand(args.texts("with").length === 0, "usage-missing-argument", "--with needs an object to judge.", "Name its file: mesh profile show FILE --with OTHERS");
    return showOwn(call);
  }
  const others = filesOf(args.texts("with"));
  demand([path, ...others].filter((one) => one === "-").length <= 1, "usage-options-conflict", "Standard input can be read only once.", "Give one of the two as a file.");
  const octets = readOctets(path, MAX_OBJECT, "input-malformed");
  const given = others.map((file) => ({ file, octets: readOctets(file, MAX_EXAMINED, "input-malformed") }));
  demand(given.reduce((sum, one) => sum + one.octets.length, 0) <= MAX_EXAMINED, "input-malformed", `What --with names is larger than ${MAX_EXAMINED >> 20} MiB in all.`);
  if (isOf2017(octets)) {
    const archived = readArchived(parseLenient(octets));
    const { members } = archived;
    const finding = judgeArchived(archived, given.flatMap(archivedIn));
    output.data(archivedDocument(finding, members), archivedText(finding, members));
    const refusal = refusalOf(finding);
    if (refusal !== undefined) throw refusal;
    return;
  }
  const examined = await examine(readAny(parseExamined(octets)), given.flatMap(objectsIn));
  output.data(objectDocument(examined), objectText(examined));
  if (examined.refusal !== undefined) throw examined.refusal;
}

type Given = { readonly file: string; readonly octets: Uint8Array };

function isOf2017(octets: Uint8Array): boolean {
  try {
    return isArchived(parseLenient(octets));
  } catch (error) {
    // What is wrong with it, if it is not of 2017, is for the strict reader to say.
    if (error instanceof MeshError) return false;
    throw error;
  }
}

function archivedIn({ octets }: Given): readonly ArchivedSigned[] {
  return isOf2017(octets) ? [readArchived(parseLenient(octets))] : [];
}

function objectsIn({ file, octets }: Given): readonly Read[] {
  try {
    return isOf2017(octets) ? [] : readAll(parseExamined(octets));
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    throw new MeshError(error.code, `In ${file}: ${error.message}`, error.hint, error);
  }
}

/** The files that --with names: of a folder, all in it. */
function filesOf(paths: readonly string[]): readonly string[] {
  const files = paths.flatMap((path) => {
    try {
      return path !== "-" && statSync(path).isDirectory() ? readdirSync(path, { withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(path, one.name)).sort() : [path];
    } catch (error) {
      throw new MeshError("input-unreadable", `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
    }
  });
  demand(files.length <= MAX_FILES, "input-malformed", `--with names ${files.length} files, more than ${MAX_FILES}.`);
  return files;
}
