import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { read, root } from "../tree.ts";
import { commandsOf, follow, run, until } from "./walkthrough.ts";

// A stranger's first minutes: an empty home, `npm start`, and the commands of the README as they are written there.
test("what the README says to type works, from an empty home", { timeout: 120_000 }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), "mesh-readme-"));
  writeFileSync(join(home, "passphrase"), "correct horse battery staple\n");
  const env = { HOME: home, PATH: process.env["PATH"] ?? "", MESH_PASSPHRASE_FILE: join(home, "passphrase") };

  const started = spawn(process.execPath, [join(root, "scripts", "start.mjs")], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [started.stdout, started.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve) => started.on("close", resolve));
  const tooSoon = ended.then((status) => assert.fail(`npm start ended with ${status}:\n${said}`));
  tooSoon.catch(() => {});
  t.after(async () => {
    started.kill("SIGTERM");
    await ended;
    rmSync(home, { recursive: true, force: true });
  });

  const url = await Promise.race([until(() => /Make a mesh: .* (https:\S+)/.exec(said)?.[1], 30_000), tooSoon]);
  const again = await run("node scripts/start.mjs", root, env);
  assert.deepEqual([again.status, again.output.includes(`Your portal is running: ${url}`)], [0, true], again.output);

  const commands = commandsOf(read("README.md"));
  assert.ok(commands.length >= 5, "the README shows the golden path");
  const outcomes = await follow(commands, url, root, env);
  const failed = outcomes.filter(({ status }) => status !== 0 && status !== 5);
  assert.equal(failed.length, 0, failed.map(({ command, status, output }) => `${command}\nexit ${status}\n${output}`).join("\n"));
  assert.equal(outcomes.length, commands.length + 1, "the joining device was typed its three words");
  // The password that the desktop made is what the laptop gets: the one line that prints something on a pipe.
  const got = outcomes.find(({ command }) => command.includes("password get"));
  assert.match(got?.output ?? "", /^\S{12,}\n$/);
});
