import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { openAccount } from "../support/account.ts";
import { openPlace } from "../support/processes.ts";
import { run } from "../support/sshd.ts";

type States = readonly { readonly name: string; readonly state: string }[];

// Draft §3.1: Alice's servers, from the first `host add` to a stolen laptop and back to where it began, as she types it.
test("a server is added once and kept in step by the commands that a person runs anyway", { timeout: 120_000 }, async () => {
  const place = openPlace();
  const account = await openAccount();
  const environment = { PATH: `${place.folder}:${account.environment["PATH"] ?? ""}`, MESH_NO_INPUT: "1" };
  const mesh = async (device: string, line: string, status = 0) => {
    const ran = await place.mesh(device, line.split(" "), environment);
    assert.equal(ran.status, status, `${device}$ mesh ${line}\n${ran.stdout}${ran.stderr}`);
    return ran;
  };
  const json = async <T>(device: string, line: string, status = 0) => JSON.parse((await mesh(device, `${line} --json`, status)).stdout) as T;
  try {
    const portal = await place.portal();
    await mesh("desktop", `create alice@example.com --portal ${portal.url} --device-name desktop --no-passphrase`);
    await mesh("desktop", "ssh host list", 1 + 2);
    await mesh("desktop", "ssh setup");
    const target = `${account.sshd.user}@127.0.0.1:${account.port}`;
    const added = await json<{ name: string; hostKey: { kind: string }; state: string; sync: string }>("desktop", `ssh host add ${target} --name server1`);
    assert.deepEqual([added.name, added.hostKey.kind, added.state, added.sync], ["server1", "ssh-ed25519", "brought-in-step", "sent"]);
    assert.match((await mesh("desktop", "ssh host list")).stdout, /server1 .*in step/);
    assert.match((await mesh("desktop", "ssh check")).stdout, /^server1 {2}in step\n.*1 line outside the block lets somebody in\n$/);

    const file = join(place.folder, "ssh_config");
    const shown = await mesh("desktop", `ssh config --file ${file} --dry-run`);
    assert.match(shown.stdout, /Host server1/);
    assert.equal(existsSync(file), false);
    place.file("ssh_config", "Host *\n  Compression yes\n");
    await mesh("desktop", `ssh config --file ${file}`);
    const config = run("/usr/bin/ssh", ["-F", file, "-G", "server1"]);
    for (const line of ["hostname 127.0.0.1", `port ${account.port}`, "hostkeyalias server1", "stricthostkeychecking true", "compression yes"]) assert.ok(config.includes(`${line}\n`), `${line} is not in\n${config}`);
    assert.equal(statSync(join(place.home("desktop"), "ssh")).mode & 0o777, 0o700);

    // With its agent, this device needs nothing else to get in, by its person's hand or by ours.
    const agent = place.start("desktop", ["agent"], environment);
    const inside = await place.shell("desktop", `for n in $(seq 100); do test -S desktop/agent/ssh.sock && exec /usr/bin/ssh -F '${file}' -o BatchMode=yes server1 'echo in'; sleep 0.1; done`, environment);
    assert.equal(inside.stdout, "in\n", inside.stderr);
    account.write(account.read().replace(`${account.own}\n`, ""));
    assert.match((await mesh("desktop", "ssh host sync server1")).stdout, /^server1 {2}in step\n$/);
    agent.kill("SIGTERM");
    await agent.ended;
    account.write(`${account.own}\n${account.read()}`);

    // Another device comes: whichever device syncs next lets it in.
    const { pin } = await json<{ pin: string }>("desktop", "device pin");
    place.file("pin", `${pin}\n`);
    const joining = `join alice@example.com --portal ${portal.url} --device-name laptop --no-passphrase --pin-file ${join(place.folder, "pin")}`;
    await mesh("laptop", joining, 5);
    assert.deepEqual((await json<{ servers: States }>("desktop", "sync")).servers, [{ name: "server1", state: "brought-in-step" }]);
    await mesh("laptop", joining);
    assert.match(account.read(), / desktop\n.* laptop\n/);
    assert.deepEqual(Object.keys(await json<object>("laptop", "sync")).includes("servers"), false, "what is in step is not reached for again");
    assert.deepEqual((await json<{ hosts: States }>("laptop", "ssh status")).hosts.map((one) => one.name), ["server1"]);

    const receipt = await json<{ done: readonly string[]; pending: readonly string[] }>("desktop", "device disable laptop");
    assert.ok(receipt.done.includes("server1 does not let laptop in any more"), JSON.stringify(receipt));
    assert.doesNotMatch(account.read(), /laptop/);

    account.write(account.read().replace(/.* desktop\n/, ""));
    assert.match((await mesh("desktop", "ssh check", 1)).stderr, /Not in step: server1/);
    assert.match((await mesh("desktop", "ssh host sync server1")).stdout, /brought in step: 1 key added/);
    await account.cut();
    assert.match((await mesh("desktop", "ssh host sync", 7)).stdout, /server1 cannot be reached/);
    await account.mend();

    await mesh("desktop", "ssh host remove server1");
    assert.equal(account.read(), `${account.own}\n`);
    assert.deepEqual(await json("desktop", "ssh host list"), []);
    await mesh("desktop", `ssh config --file ${file} --undo`);
    assert.equal(readFileSync(file, "utf8"), "Host *\n  Compression yes\n");
  } finally {
    await account.close();
    await place.close();
  }
});
