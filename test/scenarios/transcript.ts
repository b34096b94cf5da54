import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlace, type Place, type PortalProcess, type Ran } from "../support/processes.ts";

/** One step of a transcript: what is done, and what is to be seen. */
type Step = { readonly line: number; readonly who: string; readonly what: string; readonly stdout: string[]; readonly stderr: string[] | undefined; readonly exit: number };

/** What stands for text: `<NAME>` in a transcript is the same text wherever it stands; `<*>` is any. */
type Values = Map<string, string>;

/**
 * Plays a transcript with real processes and compares what they say.
 *
 *     # the rule that it checks
 *     laptop$ mesh join alice@example.com --portal <URL>      a line of shell, as the device `laptop`
 *     > {                                                     all of standard output: each line, in order
 *     2> Pick these words ...                                 all of standard error, where any is written
 *     > ...                                                   any number of lines
 *     [5]                                                     the exit status, where it is not 0
 *     * portal stop                                           something done from outside: see `act`
 *
 * `<URL>` is the URL of a portal for example.com that runs from the start; `<PIN>` its pin.
 */
export async function play(text: string): Promise<void> {
  const place = openPlace();
  try {
    const portal = await place.portal();
    const values: Values = new Map([["URL", portal.url], ["PIN", portal.pin], ["FOLDER", place.folder], ["PORT", String(portal.port)]]);
    const kept = new Map<string, string>();
    for (const step of stepsOf(text)) {
      if (step.who === "*") await act(step, place, portal, kept);
      else check(step, await place.shell(step.who, filled(step.what, values)), values);
    }
  } finally {
    await place.close();
  }
}

/** The rule that a transcript checks: its first line. */
export function ruleOf(text: string): string {
  return /^# (.+)\n/.exec(text)?.[1] ?? assert.fail("a transcript begins with the rule that it checks");
}

function stepsOf(text: string): readonly Step[] {
  const steps: { line: number; who: string; what: string; stdout: string[]; stderr: string[] | undefined; exit: number }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const begun = /^(\*|[a-z0-9]+\$) (.*)$/.exec(line);
    const last = steps.at(-1);
    const exit = /^\[(\d+)\]$/.exec(line)?.[1];
    if (line === "" || line.startsWith("#")) continue;
    if (begun !== null) steps.push({ line: index + 1, who: (begun[1] ?? "").replace("$", ""), what: begun[2] ?? "", stdout: [], stderr: undefined, exit: 0 });
    else if (last === undefined) assert.fail(`line ${index + 1} belongs to no command`);
    else if (exit !== undefined) last.exit = Number(exit);
    else if (line.startsWith("2>")) (last.stderr ??= []).push(line.slice(3));
    else if (line.startsWith(">")) last.stdout.push(line.slice(2));
    else assert.fail(`line ${index + 1} is not understood: ${line}`);
  }
  return steps;
}

function check(step: Step, ran: Ran, values: Values): void {
  const where = `line ${step.line}: ${step.who}$ ${step.what}\n${ran.stdout}${ran.stderr}`;
  assert.equal(ran.status, step.exit, `exit ${ran.status}, not ${step.exit}, at ${where}`);
  match(step.stdout, ran.stdout, values, `standard output at ${where}`);
  if (step.stderr !== undefined) match(step.stderr.join("") === "" ? [] : step.stderr, ran.stderr, values, `standard error at ${where}`);
}

function match(expected: readonly string[], said: string, values: Values, where: string): void {
  const names: string[] = [];
  const lines = expected.map((line) => (line === "..." ? "(?:.*\\n)*?" : `${pattern(line, values, names)}\\n`));
  const found = new RegExp(`^${lines.join("")}$`).exec(said);
  assert.ok(found !== null, `expected\n${expected.join("\n")}\nin ${where}`);
  names.forEach((name, index) => values.set(name, found[index + 1] ?? ""));
}

/** A line as a pattern: a name that is known stands for its text, a new one takes what is there. */
function pattern(line: string, values: Values, names: string[]): string {
  return line
    .split(/(<[\w* ]+>)/)
    .map((part) => {
      const name = /^<(.+)>$/.exec(part)?.[1];
      const known = name === undefined ? part : values.get(name);
      if (known !== undefined) return RegExp.escape(known);
      if (name === "*") return ".*?";
      const before = names.indexOf(name ?? "");
      if (before >= 0) return `\\${before + 1}`;
      names.push(name ?? "");
      return "(.+?)";
    })
    .join("");
}

function filled(line: string, values: Values): string {
  return line.replace(/<([\w ]+)>/g, (whole, name: string) => values.get(name) ?? whole);
}

/**
 * What is done from outside:
 * `portal stop|start|kill`; `keep NAME` remembers every octet of a folder or file, `same NAME` demands that none changed;
 * `flip FILE` changes a letter in the middle, `cut FILE` halves it, `write FILE: TEXT` replaces it.
 */
async function act({ what, line }: Step, place: Place, portal: PortalProcess, kept: Map<string, string>): Promise<void> {
  const [, verb = "", name = "", rest = ""] = /^(\w+) ([^\s:]+)(?:: (.*))?$/.exec(what) ?? [];
  const path = join(place.folder, name);
  if (what === "portal start") await portal.start();
  else if (what === "portal stop") await portal.stop();
  else if (what === "portal kill") await portal.stop("SIGKILL");
  else if (verb === "keep") kept.set(name, digestOf(path));
  else if (verb === "same") assert.equal(digestOf(path), kept.get(name), `line ${line}: ${name} was changed`);
  else if (verb === "write") place.file(name, `${rest}\n`);
  else if (verb === "cut") truncateSync(path, Math.floor(statSync(path).size / 2));
  else if (verb === "flip") flip(path);
  else assert.fail(`line ${line} is not understood: ${what}`);
}

function flip(path: string): void {
  const octets = readFileSync(path);
  const at = Math.floor(octets.length / 2);
  octets[at] = (octets[at] ?? 0) === 0x41 ? 0x42 : 0x41;
  writeFileSync(path, octets);
}

function digestOf(path: string): string {
  const hash = createHash("sha256");
  const files = statSync(path).isDirectory() ? readdirSync(path).sort().map((name) => join(path, name)) : [path];
  // SQLite's index of its journal is rebuilt by whoever opens it; it holds nothing of its own.
  for (const file of files.filter((one) => !one.endsWith("-shm"))) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}
