import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { includeIn, writeOwnConfig } from "./files.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-files-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const line = `Include "/h/ssh/config"\n`;

/** Puts the line in, or takes it out; says whether it was so. */
function include(path: string, undo = false): boolean {
  const { isSo, path: real, text } = includeIn(path, "/h", undo);
  if (!isSo) writeOwnConfig(real, text);
  return isSo;
}

suite("a person's own ssh_config (docs/spec/ssh.md 4.3)", () => {
  test("where there is none it is made for its owner alone, and goes with our line", () => {
    const path = join(folder, "new", "config");
    assert.equal(include(path), false);
    assert.deepEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777, statSync(join(folder, "new")).mode & 0o777], [line, 0o600, 0o700]);
    assert.deepEqual([include(path), include(path, true), existsSync(path), include(path, true)], [true, false, false, true]);
  });

  test("what is there stays, octet for octet, with its mode; a link stays a link", () => {
    const [path, kept] = [join(folder, "config"), join(folder, "dotfiles")];
    const own = Buffer.from("Host caf\xe9\r\n  User x", "latin1");
    mkdirSync(kept);
    writeFileSync(join(kept, "ssh"), own);
    chmodSync(join(kept, "ssh"), 0o640);
    symlinkSync("dotfiles/ssh", path);
    include(path);
    assert.deepEqual(readFileSync(path), Buffer.concat([Buffer.from(line), own]));
    assert.deepEqual([lstatSync(path).isSymbolicLink(), statSync(path).mode & 0o777], [true, 0o640]);
    include(path, true);
    assert.deepEqual(readFileSync(join(kept, "ssh")), own);
  });

  test("one that cannot be read is left alone", () => {
    const path = join(folder, "folder");
    mkdirSync(path);
    assert.throws(() => includeIn(path, "/h", false), { code: "ssh-config-untouched" });
  });
});
