import { globSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";

import { type Block, blocksOf, readStatements, type Statement } from "../../applications/ssh/client-file.ts";
import { type Source, textIn } from "./own-known-hosts.ts";

/** The most files of configuration that are read. */
const maxFiles = 64;

/** The folder in which ssh looks for a person's own files: by her account, whatever HOME says. */
export function ownFolder(): string {
  return join(userInfo().homedir, ".ssh");
}

/** The sections of a person's own configuration, with those of the files that it includes; ours are not among them. */
export function ownBlocks({ config, folder, ours }: Omit<Source, "environment">): readonly Block[] {
  return blocksOf(statementsIn(config ?? join(folder, "config"), folder, new Set([ours])));
}

/** The lines of a configuration with those that it includes in their place. */
function statementsIn(file: string, folder: string, seen: Set<string>): readonly Statement[] {
  if (seen.has(file) || seen.size > maxFiles) return [];
  seen.add(file);
  return readStatements(textIn(file) ?? "").flatMap((one): readonly Statement[] => {
    if (one.keyword !== "include") return [one];
    return one.words.flatMap((word) => globSync(placeOf(word, folder)).sort()).flatMap((path) => statementsIn(path, folder, seen));
  });
}

function placeOf(word: string, folder: string): string {
  const path = word.startsWith("~/") ? join(homedir(), word.slice(2)) : word;
  return isAbsolute(path) ? path : join(folder, path);
}
