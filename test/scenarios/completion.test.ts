import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { openPlace, type Place } from "../support/processes.ts";

/** What is typed before a Tab, and the words that the line then has after `mesh`. */
const lines: readonly (readonly [string, readonly string[]])[] = [
  ["dev", ["device"]],
  ["device dis", ["device", "disable"]],
  ["--json device li", ["--json", "device", "list"]],
  ["help se", ["help", "secrets"]],
  ["device accept --ro", ["device", "accept", "--role"]],
  ["device accept --role a", ["device", "accept", "--role", "admin"]],
  ["device accept --role=a", ["device", "accept", "--role=admin"]],
  ["device disable d", ["device", "disable", "desktop"]],
  ["portal init --accounts=o", ["portal", "init", "--accounts=open"]],
  ["password get My", ["password", "get", "My Bank"]],
  ["password get 'My", ["password", "get", "My Bank"]],
  ['password get "My', ["password", "get", "My Bank"]],
  ["password get My\\ ", ["password", "get", "My Bank"]],
  ["password get a:", ["password", "get", "a:b c"]],
  ["--home ~/desktop password get it", ["--home", "HOME/desktop", "password", "get", "it's=1"]],
  ["password get it", ["password", "get", "it's=1"]],
  ["password get \\$", ["password", "get", "$(touch owned) `touch owned`"]],
  ["profile show fi", ["profile", "show", "file one.txt"]],
  ["profile show --with=fi", ["profile", "show", "--with=file one.txt"]],
  ["portal serve --data fo", ["portal", "serve", "--data", "folder"]],
  // Nothing is guessed where nothing can be known: names of others' and of what is new.
  ["password add My", ["password", "add", "My"]],
  ["create a", ["create", "a"]],
];

let place: Place;
before(async () => {
  place = openPlace();
  const portal = await place.portal();
  await place.json("desktop", ["create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop", "--no-passphrase"]);
  await portal.stop();
  for (const name of ["My Bank", "a:b c", "it's=1", "$(touch owned) `touch owned`", "forum"]) await place.json("desktop", ["password", "add", name, "--generate"]);
  mkdirSync(join(place.folder, "cwd", "folder"), { recursive: true });
  writeFileSync(join(place.folder, "cwd", "file one.txt"), "");
});
after(() => place.close());

/** What a shell on a terminal of its own makes of each line: a Tab, then the words of the line are printed instead of run. */
async function typed(shell: readonly string[], setUp: string, texts: readonly string[]): Promise<readonly (readonly string[])[]> {
  const env = { HOME: place.folder, PATH: `${place.folder}:${process.env["PATH"] ?? ""}`, MESH_HOME: place.home("desktop"), TERM: "xterm", LANG: "C.UTF-8", PS1: "$ " };
  const child = spawn("script", ["-qec", shell.join(" "), "/dev/null"], { cwd: join(place.folder, "cwd"), env });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  const late = setTimeout(() => child.kill(), 60_000);
  const until = async (mark: string): Promise<void> => {
    while (!screen.includes(mark)) {
      assert.equal(child.exitCode, null, screen);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  // What the terminal echoes is not what is printed: the mark is whole only there.
  const mark = (name: string) => `printf '\\n[%s]\\n' "${name.slice(0, 1)}""${name.slice(1)}"`;
  child.stdin.write(`${setUp}; ${mark("ready")}\r`);
  await until("[ready]");
  const found: string[][] = [];
  for (const [at, text] of texts.entries()) {
    // Ctrl-A and Ctrl-E go to the ends of the line.
    child.stdin.write(`mesh ${text}\t\u0001printf '\\n{%s}\\n' \u0005; ${mark(`done${at}`)}\r`);
    await until(`[done${at}]`);
    found.push(screen.split(/\r?\n/).filter((line) => /^\{.*\}\r?$/.test(line)).map((line) => line.replace(/^\{|\}\r?$/g, "")));
    screen = "";
  }
  child.stdin.write("exit\r");
  await new Promise((done) => child.once("close", done));
  clearTimeout(late);
  return found;
}

const check = (found: readonly (readonly string[])[]) => {
  for (const [at, [text, words]] of lines.entries()) assert.deepEqual(found[at]?.map((word) => word.replace(/^folder\/$/, "folder").replace(place.folder, "HOME")), ["mesh", ...words], text);
};

suite("completions in the shells they are for", () => {
  test("bash", { timeout: 120_000 }, async () => {
    check(await typed(["bash", "--norc", "--noprofile", "-i"], "source <(mesh completion bash)", lines.map(([text]) => text)));
  });

  test("zsh, from a folder of functions", { timeout: 120_000 }, async () => {
    const [some = assert.fail()] = await typed(["zsh", "-f", "-i"], `mkdir ../functions; mesh completion zsh > ../functions/_mesh; fpath=($PWD/../functions $fpath); autoload -U compinit; compinit -u -d ${place.folder}/dump2; bindkey -e`, ["device dis"]);
    assert.deepEqual(some, ["mesh", "device", "disable"]);
  });

  test("zsh, read at its start", { timeout: 120_000 }, async () => {
    check(await typed(["zsh", "-f", "-i"], "bindkey -e; source <(mesh completion zsh)", lines.map(([text]) => text)));
  });

  test("fish", { timeout: 120_000 }, async () => {
    // Fish has a command for what a Tab would find; of the line it takes what follows the last space that no quote holds.
    const asked = lines.filter(([text]) => !/ (?:add|create) |^create /.test(text));
    const script = ["mesh completion fish | source", ...asked.map(([text], at) => `echo "[${at}]"; complete -C ${quoted(`mesh ${text}`)}`)].join("\n");
    const { stdout } = await place.shell("desktop", `cd cwd && fish --no-config ${place.file("try.fish", script)}`);
    const found = stdout.split(/^\[\d+\]\n/m).slice(1).map((one) => one.split("\n").filter((line) => line !== "").map((line) => line.split("\t")[0]?.replace(/\/$/, "")));
    assert.deepEqual(found, asked.map(([, words]) => [words.at(-1)]));
  });

  test("names are data: none of them was run", () => assert.ok(!existsSync(join(place.folder, "cwd", "owned"))));

  test("a home with a passphrase tells no names, not even where the passphrase is at hand", async () => {
    const names = async () => (await place.mesh("desktop", ["completion", "fish", "--", "password", "get", ""], { MESH_PASSPHRASE_FILE: join(place.folder, "passphrase") })).stdout;
    place.file("passphrase", "correct horse");
    assert.match(await names(), /^My Bank\t/m);
    await place.json("desktop", ["passphrase", "change", "--new-passphrase-file", join(place.folder, "passphrase")]);
    assert.equal(await names(), "words\n");
    assert.equal((await place.mesh("desktop", ["completion", "fish", "--", "device", "disable", ""])).stdout, "words\n");
  });
});

/** A word in single quotes, as fish reads it. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
