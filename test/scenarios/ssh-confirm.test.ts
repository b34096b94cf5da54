import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { openAccount } from "../support/account.ts";
import { openPlace } from "../support/processes.ts";

// A person at a screen whose ssh asks by a window (docs/spec/agent.md 6), with a real ssh, sshd and a lent agent.
test("the agent asks its person to unlock and to allow, names program, host and who has it lent, and nothing hangs", { timeout: 120_000 }, async () => {
  const place = openPlace();
  const account = await openAccount();
  const environment = { PATH: `${place.folder}:${account.environment["PATH"] ?? ""}`, MESH_NO_INPUT: "1", DISPLAY: ":0", SSH_ASKPASS: join(place.folder, "askpass") };
  const mesh = async (line: string, status = 0) => {
    const ran = await place.mesh("desktop", line.split(" "), environment);
    assert.equal(ran.status, status, `$ mesh ${line}\n${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  };
  const asked = join(place.folder, "asked");
  const window = (does: string): void => writeFileSync(join(place.folder, "askpass"), `#!/bin/sh\nprintf '%s\\n' "$1" >>'${asked}'\n${does}\n`, { mode: 0o700 });
  /** Logs in, and says whether that went and what was asked. */
  const login = async (options: string, command = "echo in") => {
    rmSync(asked, { force: true });
    const { stderr, stdout } = await place.shell("desktop", `/usr/bin/ssh -F '${place.folder}/config' -o BatchMode=yes ${options} server1 '${command}'`, environment);
    return { in: stdout === "in\n", asked: existsSync(asked) ? readFileSync(asked, "utf8") : "", stderr };
  };
  try {
    const portal = await place.portal();
    const passphrase = place.file("passphrase", "a long enough passphrase\n");
    await mesh(`create alice@example.com --portal ${portal.url} --device-name desktop --passphrase-file ${passphrase}`);
    const open = `--passphrase-file ${passphrase}`;
    await mesh(`ssh setup ${open}`);
    await mesh(`ssh host add ${account.sshd.user}@127.0.0.1:${account.port} --name server1 ${open}`);
    await mesh(`ssh config --file ${place.file("config", "")} ${open}`);
    account.write(account.read().replace(`${account.own}\n`, ""));
    const agent = place.start("desktop", ["agent"], environment);
    await place.shell("desktop", `for n in $(seq 100); do test -S desktop/agent/ssh.sock && exit; sleep 0.1; done`);

    window("echo a long enough passphrase");
    const unlocked = await login("");
    assert.ok(unlocked.in, unlocked.stderr);
    assert.match(unlocked.asked, /^\/usr\/bin\/ssh \(started by [^)]*\) needs a key of .*\/desktop, which is locked\. Its passphrase:\n$/);
    assert.equal((await login("")).asked, "", "once is enough");

    await mesh(`ssh confirm forwarded ${open}`);
    window("exit 0");
    assert.deepEqual({ ...(await login("")), stderr: "" }, { in: true, asked: "", stderr: "" }, "nobody else wants it");
    const inner = `ssh -p ${account.port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR ${account.sshd.user}@127.0.0.1 echo in`;
    const lent = await login("-A", inner);
    assert.ok(lent.in, lent.stderr);
    assert.match(lent.asked, new RegExp(`^/usr/bin/ssh \\(.*\\) wants to log in as "${account.sshd.user}" to server1 by a key of this device\\. The request comes from server1, to which your agent is lent\\. Allow it\\?\n$`));

    await mesh(`ssh confirm never ${open}`);
    await mesh(`ssh confirm always server1 ${open}`);
    window("exit 1");
    const denied = await login("");
    assert.deepEqual([denied.in, denied.asked.split("\n").length], [false, 2]);
    assert.match(denied.asked, /wants to log in as .* to server1 by a key of this device\. Allow it\?/);
    const status = await place.mesh("desktop", ["ssh", "status", ...open.split(" ")], { ...environment, MESH_NO_AGENT: "" });
    assert.match(status.stdout, /The agent refused ssh a key last at .*: Whoever was asked said no\./);
    agent.kill("SIGTERM");
    await agent.ended;
  } finally {
    await account.close();
    await place.close();
  }
});
