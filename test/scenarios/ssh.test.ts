import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { withBlock } from "../../src/applications/ssh/authorized-keys.ts";
import { openPlace, type Place, type PortalProcess, type Running } from "../support/processes.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

type Keys = readonly { readonly device: string; readonly key: string; readonly this: boolean }[];

suite("SSH by a key that two devices made together", () => {
  let place: Place;
  let portal: PortalProcess;
  let sshd: Sshd;
  const agents: Running[] = [];

  before(async () => {
    place = openPlace();
    portal = await place.portal();
    sshd = await startSshd(["AuthorizedKeysFile %D/authorized_keys"], { authorized_keys: "" });
  });
  after(async () => {
    for (const agent of agents) agent.kill("SIGTERM");
    await Promise.all(agents.map((agent) => agent.ended));
    await sshd.close();
    await place.close();
  });

  /** Starts the agent of a device's home, and says where it answers. */
  async function agentOf(device: string): Promise<string> {
    agents.push(place.start(device, ["agent"]));
    const socket = join(place.home(device), "agent", "ssh.sock");
    const listed = await place.shell(device, `for n in $(seq 100); do SSH_AUTH_SOCK='${socket}' ssh-add -L && exit 0; sleep 0.1; done; exit 1`);
    assert.equal(listed.status, 0, listed.stderr);
    return socket;
  }

  function login(socket: string): Promise<boolean> {
    const hosts = place.file("known_hosts", `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
    const child = spawn("ssh", ["-F", "none", "-p", String(sshd.port), "-o", `IdentityAgent=${socket}`, "-o", `UserKnownHostsFile=${hosts}`, "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", `${sshd.user}@127.0.0.1`, "echo in"], { stdio: ["ignore", "pipe", "ignore"] });
    let out = "";
    child.stdout.on("data", (text) => (out += String(text)));
    return new Promise((resolve) => child.once("close", () => resolve(out === "in\n")));
  }

  test("each device logs in with the key that the mesh has for it, and no other; who is disabled is not among the keys any more", async () => {
    const allow = (keys: Keys) => writeFileSync(join(sshd.folder, "authorized_keys"), withBlock("", "alice", keys.map((one) => one.key)));
    await place.json("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase", "--device-name", "desktop"]);
    await place.json("desktop", ["ssh", "setup"]);
    const { pin } = await place.json<{ pin: string }>("desktop", ["device", "pin"]);
    const code = place.file("pin", pin);
    await place.json("laptop", ["join", "alice@example.com", "--portal", portal.url, "--pin-file", code, "--no-passphrase", "--device-name", "laptop"], [5]);
    await place.json("desktop", ["sync"]);
    await place.json("laptop", ["join", "alice@example.com", "--portal", portal.url, "--pin-file", code, "--no-passphrase", "--device-name", "laptop"]);
    const keys = await place.json<Keys>("laptop", ["ssh", "keys"]);
    assert.deepEqual(keys.map((one) => [one.device, one.this]), [["desktop", false], ["laptop", true]]);

    const [desktop, laptop] = [await agentOf("desktop"), await agentOf("laptop")];
    allow(keys);
    assert.deepEqual([await login(desktop), await login(laptop)], [true, true], sshd.said());
    allow(keys.filter((one) => one.this));
    assert.deepEqual([await login(desktop), await login(laptop)], [false, true], "the keys are two");

    await place.json("desktop", ["device", "disable", "laptop"]);
    assert.deepEqual((await place.json<Keys>("desktop", ["ssh", "keys"])).map((one) => one.device), ["desktop"]);
  });
});
