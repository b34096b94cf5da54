import { existsSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import * as v from "valibot";

import { parseJson } from "../../../bytes/json.ts";
import { fromUtf8 } from "../../../bytes/text.ts";
import { replaceFile } from "../../../machine/replace-file.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { checkGit, type GitFile, type GitValues, readGit, writeGit } from "../../ssh/git-config.ts";
import { openReach, quietReach } from "../../ssh/open.ts";
import { dueSigning, noteEnded, signingFiles, writeSigning } from "../../ssh/signers.ts";

/** What git was told before, so that it can be told that again. */
type Before = { readonly v: 1; readonly file: string | null; readonly before: GitValues };

const shape = v.strictObject({ v: v.literal(1), file: v.nullable(v.string()), before: v.record(v.string(), v.array(v.string())) });

/** `mesh ssh git-signing`: { file, set: { setting: value }, replaced: { setting: [value] }, changed }; has git sign by this device's key. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output, world } = call;
  const { home } = quietReach(call);
  const known = readBefore(home);
  const given = args.text("file");
  const file = given === undefined ? (known?.file ?? undefined) : resolve(given);
  const git: GitFile = { file, environment: world.environment };
  if (args.flag("undo")) return undo(call, home, git, known);
  await checkGit(git);
  const { client, quiet } = await openReach(call, "offline");
  const ours = settings(home);
  const there = await readGit(git, Object.keys(ours));
  const isOurs = (name: string): boolean => there[name]?.length === 1 && there[name][0] === ours[name];
  const replaced = Object.fromEntries(Object.entries(there).filter(([name, values]) => values.length > 0 && !isOurs(name)));
  const changed = Object.keys(ours).some((name) => !isOurs(name));
  const document = { file: file ?? null, set: ours, replaced, changed };
  if (args.flag("dry-run")) {
    const due = await dueSigning(client, quiet);
    const lines = Object.entries(ours).map(([name, value]) => `  ${name} = ${value}${isOurs(name) ? " (already)" : name in replaced ? ` (instead of ${replaced[name]?.join(", ")})` : ""}`);
    const allowed = signingFiles(home).allowed;
    return output.data({ ...document, allowedSigners: due[allowed] ?? "" }, `${file ?? "git's own configuration"}:\n${lines.join("\n")}\n\n${allowed}:\n${due[allowed] ?? ""}`.trimEnd());
  }
  await agree(call, replaced);
  await noteEnded(client);
  // What git is told of is there before it is told, and so is what it was told before.
  await writeSigning(client, quiet);
  const before = Object.fromEntries(Object.keys(ours).map((name) => [name, isOurs(name) ? (known?.before[name] ?? []) : (there[name] ?? [])]));
  replaceFile(signingFiles(home).before, `${JSON.stringify({ v: 1, file: file ?? null, before } satisfies Before)}\n`);
  await writeGit(git, Object.fromEntries(Object.entries(ours).filter(([name]) => !isOurs(name)).map(([name, value]) => [name, [value]])));
  output.receipt(document, `${changed ? "git signs commits and tags by this device's key now" : "git signs by this device's key already"}, and knows the signatures of all your devices. Undo it with --undo. A code host is told of the key with \`mesh ssh keys\`.`);
}

/** What git is told: each setting with its one value. */
function settings(home: string): Readonly<Record<string, string>> {
  const files = signingFiles(home);
  return { "gpg.format": "ssh", "gpg.ssh.program": files.program, "gpg.ssh.allowedSignersFile": files.allowed, "user.signingkey": files.identity, "commit.gpgsign": "true", "tag.gpgsign": "true" };
}

/** Gives git back what it was told before, but for settings that somebody changed since. */
async function undo({ output }: Call, home: string, git: GitFile, known: Before | undefined): Promise<void> {
  const { allowed, before, program } = signingFiles(home);
  if (known === undefined) return output.receipt({ file: git.file ?? null, set: {}, replaced: {}, changed: false }, "git does not sign by this device's key.");
  const ours = settings(home);
  const there = await readGit(git, Object.keys(ours));
  const mine = Object.keys(ours).filter((name) => there[name]?.length === 1 && there[name][0] === ours[name]);
  const back = Object.fromEntries(mine.map((name) => [name, known.before[name] ?? []]));
  await writeGit(git, back);
  for (const file of [allowed, program, before]) rmSync(file, { force: true });
  const left = Object.entries(there).filter(([name, values]) => values.length > 0 && !mine.includes(name)).map(([name]) => name);
  output.receipt({ file: git.file ?? null, set: Object.fromEntries(Object.entries(back).flatMap(([name, [first]]) => (first === undefined ? [] : [[name, first]]))), replaced: {}, changed: true }, `git is told what it was told before.${left.length === 0 ? "" : ` Changed since, and left: ${left.join(", ")}.`}`);
}

function readBefore(home: string): Before | undefined {
  const { before } = signingFiles(home);
  if (!existsSync(before)) return undefined;
  try {
    return v.parse(shape, parseJson(fromUtf8(readFileSync(before)), { maxBytes: 1024 * 1024 }));
  } catch {
    throw new MeshError("git-config-untouched", `${before}, which says what git was told before, is damaged.`, "Look at the settings of `git config --global --list` by hand, and take that file away.");
  }
}

/** What a person told git herself is not replaced behind her back. */
async function agree({ args, input, output }: Call, replaced: GitValues): Promise<void> {
  const lines = Object.entries(replaced).map(([name, values]) => `${name} = ${values.join(", ")}`);
  if (lines.length === 0 || args.flag("yes")) return;
  const consequence = `This replaces what git is told now: ${lines.join("; ")}. --undo gives it back.`;
  if (!input.mayAsk) throw new MeshError("input-needed", consequence, "Nothing was changed. Add --yes if that is what you want.");
  output.note(consequence);
  const answer = await input.ask("Type yes to go on", "yes");
  if (answer.trim().toLowerCase() !== "yes") throw new MeshError("interrupted", "Nothing was changed.");
}
