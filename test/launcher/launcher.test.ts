import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { root } from "../tree.ts";

type Ended = { readonly status: number | null; readonly out: string; readonly err: string };

function run(command: string, args: readonly string[], cwd?: string): Promise<Ended> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, out, err })));
}

// A small checkout of its own: the real launcher, build and entry over a command line of ten lines.
suite("./mesh", { concurrency: false }, () => {
  const here = mkdtempSync(join(tmpdir(), "mesh-launcher-"));
  after(() => rmSync(here, { recursive: true, force: true }));
  const mesh = join(here, "mesh");
  const says = (word: string): void => writeFileSync(join(here, "src/cli/word.ts"), `export const word: string = ${JSON.stringify(word)};\n`);

  mkdirSync(join(here, "src/cli"), { recursive: true });
  cpSync(join(root, "scripts"), join(here, "scripts"), { recursive: true });
  for (const file of ["mesh", "package.json", "package-lock.json"]) copyFileSync(join(root, file), join(here, file));
  symlinkSync(join(root, "node_modules"), join(here, "node_modules"));
  writeFileSync(join(here, "src/cli/main.ts"), 'import { word } from "./word.ts";\nexport async function main(argv: readonly string[]): Promise<number> {\n  console.log(word, ...argv);\n  return 5;\n}\n');
  writeFileSync(join(here, "src/cli/help.ts"), 'import { word } from "./word.ts";\nexport const allCommandPaths = (): string[][] => [[], ["password"], ["password", "add"]];\nexport const servedCommandPaths = (): string[][] => [];\nexport const renderHelp = (path: string[]): string => `help ${word} ${path.join(" ")}\\n`;\n');
  writeFileSync(join(here, "src/cli/thin.ts"), "export const runThin = async (): Promise<undefined> => undefined;\n");
  says("first");

  test("builds what is not built, and passes arguments and exit status through", async () => {
    assert.deepEqual(await run(mesh, ["password", "get", "a b", "--json"]), { status: 5, out: "first password get a b --json\n", err: "" });
  });
  test("answers --version and the help of every command, and of nothing else, without the command line", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    assert.deepEqual(await run(mesh, ["--version"]), { status: 0, out: `mesh ${version}\n`, err: "" });
    assert.equal((await run(mesh, ["--help"])).out, "help first \n");
    assert.equal((await run(mesh, ["password", "add", "--help"])).out, "help first password add\n");
    assert.equal((await run(mesh, ["password", "ad", "--help"])).out, "first password ad --help\n");
    assert.equal((await run(mesh, ["..", "--help"])).out, "first .. --help\n");
    assert.equal((await run(mesh, ["password", "add", "x", "--", "--help"])).out, "first password add x -- --help\n");
  });
  test("is never stale: not in its code, not in its help", async () => {
    says("second");
    assert.equal((await run(mesh, ["x"])).out, "second x\n");
    says("third");
    assert.equal((await run(mesh, ["password", "--help"])).out, "help third password\n");
  });
  test("many at once, right after a change, build once and all run the new", async () => {
    says("fourth");
    const before = readdirSync(join(here, "dist/chunks")).length;
    const all = await Promise.all(Array.from({ length: 6 }, () => run(mesh, ["x"])));
    assert.deepEqual(all, Array.from({ length: 6 }, () => ({ status: 5, out: "fourth x\n", err: "" })));
    assert.ok(readdirSync(join(here, "dist/chunks")).length <= before + 3);
    assert.ok(!readdirSync(join(here, "dist")).includes(".building"));
  });
  test("says where sources do not build, runs nothing old, and recovers", async () => {
    writeFileSync(join(here, "src/cli/word.ts"), "export const word = ;\n");
    const broken = await run(mesh, ["--version"]);
    assert.deepEqual([broken.status, broken.out], [1, ""]);
    assert.match(broken.err, /word\.ts/);
    says("fifth");
    assert.equal((await run(mesh, ["x"])).out, "fifth x\n");
  });
  test("a lock whose holder has died holds up nobody", async () => {
    writeFileSync(join(here, "dist/.building"), "4194304");
    says("sixth");
    assert.equal((await run(mesh, ["x"])).out, "sixth x\n");
  });
  test("works over links, from other folders, and by a relative path", async () => {
    symlinkSync("mesh", join(here, "first-link"));
    symlinkSync(join(here, "first-link"), join(here, "src", "second-link"));
    assert.equal((await run(join(here, "src", "second-link"), ["x"], tmpdir())).out, "sixth x\n");
    assert.equal((await run("./second-link", ["x"], join(here, "src"))).out, "sixth x\n");
    assert.equal((await run("sh", ["mesh", "x"], here)).out, "sixth x\n");
  });
});
