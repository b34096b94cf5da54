import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { makeTestHome } from "./test-home.ts";

const program = `import(${JSON.stringify(join(import.meta.dirname, "main.ts"))}).then(({ main }) => main(process.argv.slice(1))).then((status) => process.exit(status));`;

/** Runs a command on a terminal of its own (script(1)); each answer is typed when its question is there. */
function onTerminal(home: string, line: readonly string[], answers: readonly (readonly [string, string])[]): Promise<{ readonly status: number | null; readonly screen: string }> {
  const quoted = [process.execPath, "-e", program, "--", ...line].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return new Promise((resolve) => {
    const child = spawn("script", ["-qec", quoted, "/dev/null"], { env: { ...process.env, MESH_HOME: home, NO_COLOR: "1" } });
    const left = [...answers];
    let screen = "";
    let seen = 0;
    child.stdout.on("data", (octets: Buffer) => {
      screen += octets.toString();
      const [question, answer] = left[0] ?? [];
      if (question === undefined || answer === undefined || !screen.slice(seen).includes(question)) return;
      seen = screen.length;
      left.shift();
      child.stdin.write(answer);
    });
    const late = setTimeout(() => child.kill(), 30_000);
    child.on("close", (status) => {
      clearTimeout(late);
      resolve({ status, screen });
    });
  });
}

test("a passphrase that is typed is never shown, and can be mended", async () => {
  const home = await makeTestHome("sésame");
  const { status, screen } = await onTerminal(home.path, ["password", "list"], [["Passphrase: ", "wrong\u0015sésamX\u007fe\r"]]);
  assert.equal(status, 0, screen);
  assert.doesNotMatch(screen, /wrong|same/);
  assert.match(screen, /There are no logins yet/);
  home.remove();
});

test("Ctrl-C at a question ends with 130, Ctrl-D and --no-input with an error of their own", async () => {
  const home = await makeTestHome("x");
  assert.equal((await onTerminal(home.path, ["password", "list"], [["Passphrase: ", "\u0003"]])).status, 130);
  assert.equal((await onTerminal(home.path, ["password", "list"], [["Passphrase: ", "\u0004"]])).status, 2);
  assert.equal((await onTerminal(home.path, ["password", "list", "--no-input"], [])).status, 4);
  home.remove();
});

test("add asks for the password when no option says it", async () => {
  const home = await makeTestHome();
  const { status, screen } = await onTerminal(home.path, ["password", "add", "bank"], [["Password for bank: ", "hunter2\r"]]);
  assert.equal(status, 0, screen);
  assert.doesNotMatch(screen, /hunter2/);
  assert.equal((await home.run(["password", "get", "bank"])).out, "hunter2\n");
  home.remove();
});
