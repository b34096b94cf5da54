import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { pinentryLines, readPinentry } from "./assuan.ts";
import { makePrompter } from "./prompt.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-prompt-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const never = new AbortController().signal;
const path = process.env["PATH"] ?? "";

function script(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return file;
}

suite("a person who is at no terminal of the agent is asked by a window (docs/spec/agent.md 6)", () => {
  test("without a display, or where she wants no windows, nobody is asked", async () => {
    const program = script("unused", "touch used; echo x");
    for (const environment of [{}, { SSH_ASKPASS: program }, { DISPLAY: "", WAYLAND_DISPLAY: "" }, { DISPLAY: ":0", PATH: folder, SSH_ASKPASS_REQUIRE: "never", SSH_ASKPASS: program }]) await assert.rejects(makePrompter(environment).secret("?", never), { code: "prompt-missing" });
    assert.equal(await makePrompter({ SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force", PATH: path }).secret("?", never), "x");
  });

  test("a program that is not there, or ends, or says too much, or nothing, is no answer, and none hangs", async () => {
    const asked = (does: string) => makePrompter({ DISPLAY: ":0", SSH_ASKPASS: script("own", does), PATH: path }, 300).secret("?", never);
    await assert.rejects(makePrompter({ DISPLAY: ":0", SSH_ASKPASS: join(folder, "gone"), PATH: path }).secret("?", never), { code: "prompt-missing" });
    for (const does of ["exit 1", "kill -9 $$", "exit 0", "cat /dev/zero"]) await assert.rejects(asked(does), { code: "prompt-denied" }, does);
    for (const does of ["sleep 60", "trap '' TERM; sleep 60 & wait"]) await assert.rejects(asked(does), { code: "prompt-timed-out" }, does);
  });

  test("a real pinentry takes every command, and says that there is nowhere to ask", async () => {
    await assert.rejects(makePrompter({ DISPLAY: ":none", PATH: path, TERM: "dumb" }, 5_000).secret("100% sure?\nYes", never), { code: "prompt-missing" });
  });

  test("a pinentry is told the text, gives the secret as it was typed, and is the next that is tried without SSH_ASKPASS", async () => {
    const heard = join(folder, "heard");
    script("pinentry", `echo OK; while read -r line; do echo "$line" >>'${heard}'; case $line in GETPIN) echo "D a%25b c%0Ad"; echo OK;; CONFIRM) echo "ERR 83886194 not confirmed";; SETTIMEOUT*) echo "ERR 536871187 Unknown IPC command";; BYE) echo "OK closing"; exit;; *) echo OK;; esac; done`);
    const prompter = makePrompter({ WAYLAND_DISPLAY: "w", PATH: `${folder}:${path}` });
    assert.equal(await prompter.secret("50%\nof", never), "a%b c\nd");
    assert.match(readFileSync(heard, "utf8"), /^SETDESC 50%25%0Aof$/m);
    await assert.rejects(prompter.agree("?", never), { code: "prompt-denied" });
  });

  test("what a pinentry says: a secret, no, too late, or that it could not ask", () => {
    const greeting = "OK Pleased to meet you\nOK\nOK\nOK\nOK\n";
    const end = "OK closing connection\n";
    assert.deepEqual(readPinentry(`${greeting}D pass\nOK\n${end}`), { said: "pass" });
    assert.deepEqual(readPinentry(`${greeting}OK\nOK\n${end}`), { said: "" });
    assert.deepEqual(["ERR 83886179 cancelled", "ERR 83886194 no", "ERR 83886278 all"].map((line) => readPinentry(`${greeting}${line}\n${end}`)), ["no", "no", "no"]);
    assert.deepEqual(["ERR 83886142 Timeout", "ERR 83918950 ioctl", "garbage"].map((line) => readPinentry(`${line.startsWith("ERR") ? greeting : ""}${line}\n`)), ["late", "none", "none"]);
    assert.equal(pinentryLines("a\r\nb", "yes or no", 5), "SETTIMEOUT 5\nSETTITLE Mesh\nSETDESC a%0D%0Ab\nSETOK Yes\nSETCANCEL No\nCONFIRM\nBYE\n");
  });
});
