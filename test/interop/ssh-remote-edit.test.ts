import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import * as fc from "fast-check";
import { checkWritten, cksum, editCommand, readRemote, type RemoteFile, writeRequest } from "../../src/applications/ssh/remote-edit.ts";
import { concatBytes } from "../../src/bytes/equal.ts";
import { canMount, openSmallDisk } from "../support/small-disk.ts";
import { run } from "../support/sshd.ts";

const root = mkdtempSync(join(tmpdir(), "mesh-remote-"));
// Whoever the tests run as, the account is somebody else's than root's: nobody may do all.
const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
chmodSync(root, 0o755);
after(() => rmSync(root, { recursive: true, force: true }));

/** A home with a file of keys in it, or without. */
function homeWith(text?: string, mode = 0o600): string {
  const home = mkdtempSync(join(root, "home-"));
  if (text !== undefined) {
    mkdirSync(join(home, ".ssh"), { mode: 0o700 });
    writeFileSync(join(home, ".ssh", "authorized_keys"), text, { encoding: "latin1" });
    chmodSync(join(home, ".ssh", "authorized_keys"), mode);
  }
  own(home);
  return home;
}

function own(path: string): void {
  if (account.uid === undefined) return;
  chownSync(path, account.uid, account.gid);
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) if (!lstatSync(join(path, name)).isSymbolicLink()) own(join(path, name));
}

const file = (home: string) => join(home, ".ssh", "authorized_keys");
const read = (home: string) => readFileSync(file(home), "latin1");

/** What a test does to the conversation. */
type How = { readonly shell?: readonly string[]; readonly path?: string; readonly meanwhile?: () => void; readonly cut?: boolean; readonly asRoot?: boolean };

/** Has a shell run the command as sshd does, and holds the conversation. */
async function edit(home: string, next: (file: RemoteFile) => string | undefined, { asRoot, cut, meanwhile, path, shell = ["sh"] }: How = {}): Promise<void> {
  const [program = "", ...args] = shell;
  const child = spawn(program, [...args, "-c", editCommand("w0rd")], { cwd: "/", env: { HOME: home, PATH: path ?? process.env["PATH"] ?? "" }, stdio: ["pipe", "pipe", "ignore"], ...(asRoot === true ? {} : account) });
  let said: Uint8Array = new Uint8Array(0);
  let wrote = false;
  let asked = false;
  let fault: unknown;
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (piece: Uint8Array) => {
    said = concatBytes(said, piece);
    try {
      const found = asked ? undefined : readRemote(said, "w0rd");
      if (found === undefined) return;
      asked = true;
      const text = next(found);
      meanwhile?.();
      wrote = text !== undefined;
      const request = text === undefined ? new Uint8Array(0) : writeRequest(found, text);
      child.stdin.end(cut === true ? request.subarray(0, -1) : request);
    } catch (error) {
      fault = error;
      child.kill();
    }
  });
  await new Promise((resolve) => child.once("close", resolve));
  if (fault !== undefined) throw fault;
  assert.ok(asked, "the shell never got as far as the file");
  if (wrote) checkWritten(said, "w0rd");
}

const failed = (about: RegExp) => (error: { code?: string; message: string }) => error.code === "ssh-host-failed" && about.test(error.message);

suite("one script edits authorized_keys on a server, whatever its login shell is", () => {
  for (const shell of [["sh"], ["bash"], ["zsh"], ["fish"], ["tcsh"], ["busybox", "sh"]]) {
    test(`by ${shell.join(" ")}`, async () => {
      const home = homeWith("one\n");
      await edit(home, ({ text }) => `${text}two\n`, { shell });
      assert.equal(read(home), "one\ntwo\n");
    });
  }

  test("octets that are no text come and go as they are", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), async (before, next) => {
      const [old, fresh] = [before, next].map((octets) => Buffer.from(octets).toString("latin1")) as [string, string];
      const home = homeWith(old);
      await edit(home, ({ text }) => {
        assert.equal(text, old);
        return fresh;
      });
      assert.equal(read(home), fresh);
    }), { numRuns: 10 });
  });

  test("where there is none, folder and file are made for their owner alone", async () => {
    const home = homeWith();
    await edit(home, ({ text }) => {
      assert.equal(text, undefined);
      return "one\n";
    });
    assert.deepEqual([statSync(file(home)).mode & 0o777, statSync(join(home, ".ssh")).mode & 0o777, read(home)], [0o600, 0o700, "one\n"]);
  });

  test("where nothing is to change nothing is written", async () => {
    const home = homeWith("one\n");
    const before = statSync(file(home));
    await edit(home, () => undefined);
    assert.deepEqual([statSync(file(home)).ino, readdirSync(join(home, ".ssh"))], [before.ino, ["authorized_keys"]]);
  });

  test("a link is followed and stays one", async () => {
    const home = homeWith("one\n");
    mkdirSync(join(home, "kept"));
    writeFileSync(join(home, "kept", "keys"), "kept\n");
    rmSync(file(home));
    symlinkSync("../kept/keys", file(home));
    own(home);
    await edit(home, ({ text }) => `${text}two\n`);
    assert.ok(lstatSync(file(home)).isSymbolicLink());
    assert.equal(readFileSync(join(home, "kept", "keys"), "utf8"), "kept\ntwo\n");
    rmSync(file(home));
    symlinkSync("authorized_keys", file(home));
    await assert.rejects(edit(home, () => "x"), failed(/links/));
  });

  test("its mode stays, and one that is read-only is left", async () => {
    const home = homeWith("one\n", 0o640);
    await edit(home, () => "two\n");
    assert.equal(statSync(file(home)).mode & 0o777, 0o640);
    const kept = homeWith("one\n", 0o400);
    await assert.rejects(edit(kept, () => "two\n"), failed(/marked as read-only/));
    assert.equal(read(kept), "one\n");
    const unread = homeWith("one\n", 0o200);
    await assert.rejects(edit(unread, () => "two\n"), failed(/cannot be read/));
    const shut = homeWith("one\n");
    chmodSync(join(shut, ".ssh"), 0o500);
    await assert.rejects(edit(shut, () => "two\n"), failed(/cannot write/));
    assert.equal(read(shut), "one\n");
  });

  test("what somebody wrote meanwhile is not lost", async () => {
    const home = homeWith("one\n");
    await assert.rejects(edit(home, ({ text }) => `${text}two\n`, { meanwhile: () => writeFileSync(file(home), "other\n") }), failed(/at the same time/));
    assert.deepEqual([read(home), readdirSync(join(home, ".ssh"))], ["other\n", ["authorized_keys"]]);
  });

  test("a connection that breaks leaves the file as it was, and nothing beside it", async () => {
    const home = homeWith("one\n");
    await assert.rejects(edit(home, () => "two\nthree\n", { cut: true }), failed(/whole/));
    assert.deepEqual([read(home), readdirSync(join(home, ".ssh"))], ["one\n", ["authorized_keys"]]);
  });

  test("a disk that is full, or for reading only, leaves the file as it was", { skip: canMount() ? false : "this machine lets nobody mount a disk" }, async () => {
    const disk = await openSmallDisk(256);
    try {
      const folder = join(disk.seen, ".ssh");
      mkdirSync(folder);
      writeFileSync(join(folder, "authorized_keys"), "one\n");
      const how = { shell: [...disk.inside.split(" "), "sh"], asRoot: true };
      const large = `${"x".repeat(100_000)}\n`;
      disk.fill();
      await assert.rejects(edit(disk.path, () => large, how), { code: "ssh-host-failed" });
      assert.deepEqual([readFileSync(join(folder, "authorized_keys"), "utf8"), readdirSync(folder)], ["one\n", ["authorized_keys"]]);
      disk.free();
      disk.readOnly(true);
      await assert.rejects(edit(disk.path, () => large, how), { code: "ssh-host-failed" });
      disk.readOnly(false);
      await edit(disk.path, () => large, how);
      assert.equal(readFileSync(join(folder, "authorized_keys"), "utf8"), large);
    } finally {
      disk.close();
    }
  });

  test("it does with the few programs of a small server, without sha256sum and sync", async () => {
    const bin = mkdtempSync(join(root, "bin-"));
    chmodSync(bin, 0o755);
    for (const name of ["sh", "cat", "cksum", "cp", "dirname", "mkdir", "mv", "readlink", "rm"]) symlinkSync(run("sh", ["-c", `command -v ${name}`]).trim(), join(bin, name));
    const home = homeWith("one\n");
    await edit(home, (found) => {
      assert.equal(found.by, "cksum");
      return "two\n";
    }, { path: bin, shell: ["/bin/sh"] });
    assert.equal(read(home), "two\n");
  });

  test("the checksum is that of POSIX", () => {
    for (const text of ["", "a", "one\ntwo\n", "x".repeat(70_000)]) {
      writeFileSync(join(root, "sum"), text);
      assert.equal(cksum(new TextEncoder().encode(text)), Number(run("cksum", [join(root, "sum")]).split(" ")[0]));
    }
  });

  test("the command holds nothing that a shell reads in single quotes", () => {
    const [, script = ""] = /^sh -c '(.*)' mesh w0rd$/.exec(editCommand("w0rd")) ?? [];
    assert.match(script, /^[^'\\!\n]+$/);
  });
});
