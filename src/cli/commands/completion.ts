import { MeshError } from "../../refusals/mesh-error.ts";
import type { Call } from "../call.ts";
import { begun, complete, type Completion } from "../complete.ts";
import { completionScripts, type Shell } from "../completion-scripts.ts";
import { printable } from "../printable.ts";
import { wordsFrom } from "../shell-words.ts";

/** `mesh completion SHELL`: the script that its person installs; with words after it, what can stand for the last of them. */
export async function run(call: Call): Promise<void> {
  const { args, output, tables, world } = call;
  const shell = args.needText("bash|zsh|fish");
  if (!isShell(shell)) throw new MeshError("usage-option-value", `There are no completions for ${JSON.stringify(shell)}.`, "There are: bash, zsh, fish.");
  const given = args.texts("WORD");
  if (given.length === 0) return output.data({ shell, script: completionScripts[shell] }, completionScripts[shell].trimEnd());
  const { words, skipped } = wordsFrom(shell, given);
  const found = await withNames(call, complete(words, tables), words.at(-1) ?? "");
  const candidates = found.kind === "words" ? found.words.filter(({ word }) => printable(word) === word) : [];
  // The shell reads lines, whatever the environment says of JSON.
  if (args.source("json") === "line") return output.data({ kind: found.kind, words: candidates }, "");
  world.write(1, [found.kind, ...candidates.map(({ word, about }) => `${word.slice(skipped)}\t${printable(about)}`), ""].join("\n"));
}

function isShell(text: string): text is Shell {
  return Object.hasOwn(completionScripts, text);
}

/** Looks names up, where that needs nobody's passphrase. */
async function withNames(call: Call, completion: Completion, current: string): Promise<Exclude<Completion, { kind: "names" }>> {
  if (completion.kind !== "names") return completion;
  const { knownNames } = await import("../known-names.ts");
  const names = await knownNames(call, completion.of, completion.home);
  return begun(names.map((word) => ({ word, about: completion.of === "devices" ? "a device" : "a password" })), current);
}
