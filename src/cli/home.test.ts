import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { homePath } from "./home-path.ts";
import { homeFiles } from "./home.ts";
import { makeTestHome, type Ran, type TestHome } from "./test-home.ts";

function code({ status, err }: Ran): string {
  return `${(JSON.parse(err) as { code: string }).code} ${status}`;
}

/** What a home holds, octet for octet. */
function contents({ path }: TestHome): readonly (readonly [string, string])[] {
  return readdirSync(path).filter((name) => !/-(?:wal|shm)$/.test(name)).map((name) => [name, readFileSync(join(path, name), "base64")] as const);
}

test("the home is where --home or MESH_HOME says, else in the XDG data directory", () => {
  assert.equal(homePath("/x/../y", {}), "/y");
  assert.equal(homePath(undefined, { XDG_DATA_HOME: "/data" }), "/data/mesh");
  for (const XDG_DATA_HOME of [undefined, "", "relative"]) assert.equal(homePath(undefined, { XDG_DATA_HOME }), join(homedir(), ".local/share/mesh"));
});

test("a home that is missing, newer, damaged or open to others is refused, and left as it is", async () => {
  const list = ["password", "list", "--json"];
  for (const [expected, spoil] of [
    ["home-missing 3", (home) => rmSync(homeFiles(home.path).format)],
    ["home-newer 1", (home) => writeFileSync(homeFiles(home.path).format, "3\n")],
    ["home-damaged 1", (home) => writeFileSync(homeFiles(home.path).format, "one")],
    ["home-damaged 1", (home) => writeFileSync(homeFiles(home.path).format, "")],
    ["home-damaged 1", (home) => rmSync(homeFiles(home.path).keyring)],
    ["home-damaged 1", (home) => rmSync(homeFiles(home.path).store)],
    ["home-not-private 1", (home) => chmodSync(home.path, 0o750)],
  ] as const satisfies readonly (readonly [string, (home: TestHome) => void])[]) {
    const home = await makeTestHome();
    spoil(home);
    const before = contents(home);
    assert.equal(code(await home.run(list)), expected);
    assert.deepEqual(contents(home), before, expected);
    home.remove();
  }
});

test("a passphrase comes by file or environment; without one there is no one to ask", async () => {
  const home = await makeTestHome("open sésame");
  const list = ["password", "list", "--json"];
  assert.equal(code(await home.run(list)), "keyring-locked 4");
  assert.equal(code(await home.run([...list, "--passphrase-file", "FILE"], { input: "wrong\n" })), "keyring-wrong-passphrase 4");
  // The same characters, decomposed, with the line end of another system.
  const input = `${"open sésame".normalize("NFD")}\r\n`;
  assert.equal((await home.run([...list, "--passphrase-file", "FILE"], { input })).out, "[]\n");
  assert.equal((await home.run(list, { environment: { MESH_PASSPHRASE_FILE: join(home.path, "input") } })).status, 0);
  home.remove();
});

test("where a home would be, other people's files are not taken for one", async () => {
  const home = await makeTestHome();
  const other = join(home.path, "other");
  mkdirSync(other);
  writeFileSync(join(other, "file"), "mine");
  const ran = await home.run(["password", "list", "--json", "--home", other]);
  assert.equal(code(ran), "home-missing 3");
  assert.deepEqual(readdirSync(other), ["file"]);
  // Nor closed to others: MESH_HOME=/tmp by mistake must not shut everybody out.
  chmodSync(other, 0o755);
  const made = await home.run(["join", "alice@example.com", "--portal", "https://127.0.0.1:1", "--no-passphrase", "--json", "--home", other]);
  assert.equal(code(made), "home-not-private 1");
  assert.deepEqual([readdirSync(other), statSync(other).mode & 0o777], [["file"], 0o755]);
  home.remove();
});
