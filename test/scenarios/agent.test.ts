import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { askAgent } from "../../src/agent/ask.ts";
import type { AgentStatus } from "../../src/agent/messages.ts";
import { agentPlace } from "../../src/agent/place.ts";
import { isLong } from "../support/long.ts";
import { expectStatus, openPlace, type Place, type PortalProcess, type Ran } from "../support/processes.ts";
import { root } from "../tree.ts";

const withAgent = { MESH_NO_AGENT: "" };

// Real processes: a device under a passphrase, and the agent that holds its keys.
describe("the agent of a device", { concurrency: false }, () => {
  let place: Place;
  let portal: PortalProcess;
  let passphrase: string;
  const mesh = (...args: readonly string[]): Promise<Ran> => place.mesh("desktop", args, withAgent);
  const alone = (...args: readonly string[]): Promise<Ran> => place.mesh("desktop", [...args, "--passphrase-file", passphrase]);
  const status = async (): Promise<AgentStatus | undefined> => {
    const at = agentPlace(place.home("desktop"), {});
    const answer = at === undefined ? undefined : await askAgent({ place: at, build: "" }, { ask: "status" });
    return answer !== undefined && "ok" in answer ? (answer.ok as AgentStatus) : undefined;
  };
  const unlock = async (): Promise<number> => {
    expectStatus(await mesh("unlock", "--passphrase-file", passphrase), 0);
    return (await status())?.pid ?? assert.fail("no agent");
  };

  before(async () => {
    place = openPlace();
    portal = await place.portal();
    passphrase = place.file("passphrase", "correct horse\n");
    expectStatus(await alone("create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop"), 0);
    for (const [name, secret] of [["github", "one"], ["bank", "two"]] as const) expectStatus(await alone("password", "add", name, "--username", "alice", "--site", `${name}.example`, "--password-file", place.file(name, `${secret}\n`)), 0);
    expectStatus(await alone("password", "edit", "bank", "--password-file", place.file("bank", "three\n")), 0);
  });
  after(async () => {
    await mesh("lock");
    await place.close();
  });

  test("a locked device says how to unlock it, and no agent is there before somebody unlocks", async () => {
    const ran = await mesh("password", "get", "github");
    assert.deepEqual([ran.status, /mesh unlock/.test(ran.stderr)], [4, true], ran.stderr);
    assert.equal((await mesh("unlock")).status, 2, "nobody is there to be asked");
    assert.equal(await status(), undefined);
    assert.deepEqual((await mesh("lock", "--json")).stdout, `${JSON.stringify({ agent: false, locked: true }, undefined, 2)}\n`);
  });

  test("the wrong passphrase unlocks nothing; after the right one no command asks, among fifty at once", async () => {
    assert.equal((await mesh("unlock", "--passphrase-file", place.file("wrong", "falsch\n"))).status, 4);
    assert.equal((await mesh("password", "get", "github")).status, 4);
    await unlock();
    const all = await Promise.all(Array.from({ length: 50 }, (_, at) => mesh("password", "get", at % 2 === 0 ? "github" : "bank")));
    for (const [at, ran] of all.entries()) assert.deepEqual([ran.status, ran.stdout, ran.stderr], [0, at % 2 === 0 ? "one\n" : "three\n", ""]);
  });

  test("what a command says is the same, octet for octet, by the agent and without it", async () => {
    const lines = [
      ["password", "get", "github"],
      ["password", "get", "bank", "--json"],
      ["password", "get", "github", "--field", "site"],
      ["password", "get", "nobody"],
      ["password", "get", "nobody", "--json"],
      ["password", "get"],
      ["password", "get", "github", "--no-such-option"],
      ["password", "list"],
      ["password", "list", "--json"],
      ["password", "search", "alice", "site:bank.example"],
      ["password", "history", "bank", "--reveal"],
      ["password", "history", "bank", "--json"],
      ["completion", "bash", "--", "password", "get", "b"],
      ["completion", "fish", "--", "device", "rename", ""],
    ];
    // The same home, without a passphrase: it needs no agent.
    cpSync(place.home("desktop"), place.home("open"), { recursive: true, filter: (path) => !path.endsWith(".sock") });
    expectStatus(await place.mesh("open", ["passphrase", "change", "--no-passphrase", "--passphrase-file", passphrase]), 0);
    for (const line of lines) {
      const [by, without] = [await mesh(...line), await place.mesh("open", line)];
      assert.deepEqual([by.status, by.stdout, by.stderr], [without.status, without.stdout, without.stderr], line.join(" "));
    }
  });

  test("status says that the device is unlocked, and what keeps the agent's memory in", async () => {
    type Document = { readonly agent: { readonly unlocked: boolean } | null };
    const [by, without] = [await mesh("status", "--json"), await alone("status", "--json", "--no-agent")].map((ran) => JSON.parse(expectStatus(ran, 0).stdout) as Document);
    assert.deepEqual(Object.keys(by?.agent ?? {}), ["unlocked", "lockAfterSeconds", "inStep", "peersChecked", "noDumps", "noSwap"]);
    assert.equal(without?.agent, null);
    assert.deepEqual({ ...by, agent: null }, without);
    assert.match((await mesh()).stdout, /unlocked until nothing is asked of it for 15 minutes/);
  });

  test("the kernel is told to write no core of it, and to show its memory to nobody", { skip: process.platform !== "linux" && "no /proc" }, async () => {
    const { pid, guards } = (await status()) ?? assert.fail("no agent");
    assert.deepEqual([guards.noDumps, guards.peersChecked], [true, true]);
    assert.match(readFileSync(`/proc/${pid}/limits`, "utf8"), /^Max core file size +0 +0 /m);
  });

  test("commands that sign do it by the agent's keys: an edit, a sync, a new device", async () => {
    expectStatus(await mesh("password", "edit", "github", "--password-file", place.file("github", "four\n")), 0);
    const joining = await place.mesh("laptop", ["join", "alice@example.com", "--portal", portal.url, "--device-name", "laptop", "--no-passphrase", "--json"]);
    const { words } = JSON.parse(joining.stdout) as { readonly words: string };
    const { answer } = JSON.parse(expectStatus(await mesh("device", "accept", words, "--json"), 0).stdout) as { readonly answer: string };
    expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--answer", answer]), 0);
    assert.equal((await place.mesh("laptop", ["password", "get", "github"])).stdout, "four\n");
    assert.equal((await mesh("password", "list", "--json")).stdout.includes("late"), false);
    for (const line of [["password", "add", "late", "--generate"], ["sync"]]) expectStatus(await place.mesh("laptop", line), 0);
    expectStatus(await mesh("sync"), 0);
    // Another process read it into the home; the agent remembers what there was before.
    for (const line of [["password", "list"], ["password", "search", "late"]]) assert.match((await mesh(...line)).stdout, /^late\b/m);
    expectStatus(await mesh("password", "remove", "late"), 0);
    assert.doesNotMatch((await mesh("password", "list")).stdout, /^late\b/m);
    expectStatus(await mesh("doctor"), 0);
  });

  test("the Master key is not the agent's: what needs it needs the passphrase again", async () => {
    const joining = await place.mesh("tower", ["join", "alice@example.com", "--portal", portal.url, "--device-name", "tower", "--no-passphrase", "--json"]);
    const { words } = JSON.parse(joining.stdout) as { readonly words: string };
    const refused = await mesh("device", "accept", words, "--role", "admin");
    assert.deepEqual([refused.status, /locked by a passphrase/.test(refused.stderr)], [4, true], refused.stderr);
    expectStatus(await alone("device", "accept", words, "--role", "admin"), 0);
  });

  test("killed at any moment it leaves nothing that is in the way: the next command works, and so does the next agent", async () => {
    for (const delay of isLong ? [0, 1, 2, 5, 10, 20, 40, 60, 80, 100] : [5, 40]) {
      const pid = (await status())?.pid ?? (await unlock());
      const running = Array.from({ length: 6 }, () => mesh("password", "get", "bank"));
      await new Promise((resolve) => setTimeout(resolve, delay));
      process.kill(pid, "SIGKILL");
      for (const ran of await Promise.all(running)) assert.ok((ran.status === 0 && ran.stdout === "three\n") || (ran.status === 4 && ran.stdout === ""), `${ran.status} ${ran.stdout}${ran.stderr}`);
      assert.equal((await alone("password", "get", "bank")).stdout, "three\n");
    }
    await unlock();
    assert.equal((await mesh("password", "get", "bank")).stdout, "three\n");
  });

  test("lock ends its process before it returns, and takes the socket away", async () => {
    const { pid } = (await status()) ?? assert.fail("no agent");
    expectStatus(await mesh("lock"), 0);
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    assert.equal(existsSync(join(place.home("desktop"), "agent", "agent.sock")), false);
    assert.equal((await mesh("password", "get", "bank")).status, 4);
  });

  test("an agent of another build runs nothing for this one, and the next unlock puts this one in its place", async () => {
    await mesh("lock");
    const program = `
      const { startAgent } = await import(${JSON.stringify(join(root, "src/agent/agent.ts"))});
      const { MeshError } = await import(${JSON.stringify(join(root, "src/refusals/mesh-error.ts"))});
      const guards = { peersChecked: false, noDumps: false, noSwap: false };
      const open = async () => { throw new MeshError("keyring-locked", ""); };
      await (await startAgent({ place: ${JSON.stringify(agentPlace(place.home("desktop"), {}))}, build: "older", lockAfter: 60_000, guards, peerOf: undefined, now: Date.now, open, rest: async () => {} })).ended;
      process.exit(0);`;
    const older = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "ignore", "inherit"] });
    const ended = once(older, "exit");
    while ((await status()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await mesh("password", "get", "bank")).status, 4);
    assert.notEqual(await unlock(), older.pid);
    assert.deepEqual(await ended, [0, null]);
    assert.equal((await mesh("password", "get", "bank")).stdout, "three\n");
    expectStatus(await mesh("lock"), 0);
  });

  test("a passphrase that a command asked for at a terminal is asked for once; --no-agent leaves nothing behind", async () => {
    const typed = (line: string): Promise<Ran> => place.shell("desktop", `(while ! grep -q Passphrase screen 2>/dev/null; do sleep 0.05; done; echo "correct horse"; sleep 1) | script -qefc '${line}' screen; rm -f screen`, { ...withAgent, TERM: "xterm" });
    assert.match((await typed("mesh password get bank --field username --no-agent")).stdout, /alice/);
    assert.equal(await status(), undefined);
    assert.match((await typed("mesh password get bank --field username")).stdout, /alice/);
    assert.equal((await status())?.unlocked, true);
    assert.equal((await mesh("password", "get", "bank")).stdout, "three\n");
    expectStatus(await mesh("lock"), 0);
  });

  test("a device whose passphrase was typed when it was made is unlocked; its Master key is under the passphrase all the same", async () => {
    const line = `mesh create carol@example.com --portal "${portal.url}" --device-name fresh`;
    const shown = (text: string): string => `tries=0; while ! grep -q "${text}" screen 2>/dev/null && [ $tries -lt 400 ]; do sleep 0.05; tries=$((tries + 1)); done`;
    const ran = await place.shell("fresh", `(${shown("for this device")}; echo "correct horse"; ${shown("once more")}; echo "correct horse"; ${shown("is yours")}; sleep 0.5) | script -qefc '${line}' screen; rm -f screen`, { ...withAgent, TERM: "xterm" });
    assert.match(ran.stdout, /carol@example.com is yours/, ran.stdout);
    const fresh = (...args: readonly string[]): Promise<Ran> => place.mesh("fresh", args, withAgent);
    expectStatus(await fresh("password", "add", "github", "--generate"), 0);
    expectStatus(await fresh("password", "get", "github"), 0);
    assert.match(readFileSync(join(place.home("fresh"), "master.json"), "utf8"), /argon2id/);
    expectStatus(await fresh("lock"), 0);
    assert.equal((await fresh("password", "get", "github")).status, 4);
  });

  test("in the foreground it says where it answers, what does not hold, and why it ends; a second one is refused", async () => {
    const agent = place.start("desktop", ["agent", "--lock-after", "2s", "--passphrase-file", passphrase, "--json"], withAgent);
    while ((await status()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await mesh("agent", "--json")).status, 6);
    process.kill((await status())?.pid ?? assert.fail("no agent"), "SIGUSR1");
    const ran = await agent.ended;
    assert.deepEqual([ran.status, ran.stderr], [0, ""], "nothing is said with --json, of debuggers neither");
    const document = JSON.parse(ran.stdout) as { readonly lockAfterSeconds: number; readonly unlocked: boolean };
    assert.deepEqual([document.lockAfterSeconds, document.unlocked], [2, true]);
    assert.equal(await status(), undefined);
  });
});
