import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { createKeyringFile } from "../keyring/file.ts";
import { keyringConformance } from "../keyring/conformance.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { askAgent } from "./ask.ts";
import { agentKeyring } from "./keyring.ts";
import { MAX_REQUEST, PROTOCOL, type Request, type Wish } from "./messages.ts";
import { agentPlace } from "./place.ts";
import { makeAgentHome, type TestHome } from "./test-agent.ts";

const caller = { argv: ["password", "list"], environment: {}, terminals: [false, false, false], columns: null } as const;
const unlock = (passphrase: string): Wish => ({ ask: "unlock", passphrase });
const declined = (why: string) => ({ v: PROTOCOL, declined: why });

const homes: TestHome[] = [];
after(async () => {
  for (const home of homes) await home.remove();
});
async function newHome(passphrase?: string): Promise<TestHome> {
  const home = await makeAgentHome(passphrase);
  homes.push(home);
  return home;
}

keyringConformance("in an agent", async () => {
  const home = await newHome("");
  await home.start();
  return { keyring: agentKeyring(home.asking), reopen: async () => agentKeyring(home.asking) };
});

describe("an agent", () => {
  test("does nothing before it is unlocked; the wrong passphrase opens nothing, the right one does, whatever else is under way", async () => {
    const home = await newHome();
    const agent = await home.start();
    assert.deepEqual(await home.ask({ ask: "list" }), declined("locked"));
    assert.deepEqual(await home.ask({ ask: "run", caller }), declined("locked"));
    const wrong = await home.ask(unlock("falsch"));
    assert.ok(wrong !== undefined && "error" in wrong && wrong.error.code === "keyring-wrong-passphrase");
    assert.equal(agent.status().unlocked, false);
    await Promise.all(["falsch", "geheim", "geheim"].map((passphrase) => home.ask(unlock(passphrase))));
    assert.equal(agent.status().unlocked, true);
    assert.deepEqual(await home.ask({ ask: "run", caller }), { v: PROTOCOL, ok: { exit: 0, written: [[1, "done\n"]] } });
    assert.deepEqual(home.run, [caller]);
  });

  test("a passphrase is the same from every keyboard: composed Unicode", async () => {
    const home = await newHome("Käse");
    const agent = await home.start();
    await home.ask(unlock("Ka\u0308se"));
    assert.equal(agent.status().unlocked, true);
  });

  test("a home without a passphrase is open from the start", async () => {
    const home = await newHome("");
    assert.equal((await home.start()).status().unlocked, true);
  });

  test("locks when it is asked to: its socket is gone, its keyring closed", async () => {
    const home = await newHome("");
    const agent = await home.start();
    const status = await home.ask({ ask: "lock" });
    assert.ok(status !== undefined && "ok" in status);
    assert.equal(await agent.ended, "asked");
    assert.equal(existsSync(home.place.socket), false);
    assert.equal(await home.ask({ ask: "status" }), undefined);
    await assert.rejects(agentKeyring(home.asking).list(), { code: "agent-gone" });
  });

  test("locks when it is not used for so long; to ask how it is is no use of it", async () => {
    const home = await newHome("");
    const clock = { now: 0 };
    const agent = await home.start({ lockAfter: 1_000, now: () => clock.now });
    for (let used = 0; used < 3; used++) {
      clock.now += 900;
      await agentKeyring(home.asking).list();
    }
    clock.now += 900;
    assert.ok((await home.ask({ ask: "status" })) !== undefined);
    clock.now += 100;
    assert.equal(await agent.ended, "idle");
  });

  test("a computer that wakes up finds it locked, before the watch has looked", async () => {
    const home = await newHome("");
    const clock = { now: 0 };
    const agent = await home.start({ lockAfter: 20_000, now: () => clock.now });
    clock.now = 20_000;
    assert.deepEqual(await home.ask({ ask: "list" }), declined("locked"));
    assert.equal(await agent.ended, "idle");
  });

  test("does nothing for another build, another home or a later protocol, but says how it is, and ends", async () => {
    const home = await newHome("");
    const agent = await home.start();
    const other = { ...home.asking, build: "another" };
    assert.deepEqual(await askAgent(other, { ask: "list" }), declined("build"));
    assert.deepEqual(await askAgent(other, { ask: "run", caller }), declined("build"));
    assert.deepEqual(await askAgent({ ...home.asking, place: { ...home.place, home: "/elsewhere" } }, { ask: "lock" }), declined("home"));
    assert.equal(await lineFor(home, `{"v":${PROTOCOL + 1},"ask":"anything"}`), JSON.stringify(declined("version")));
    assert.ok((await askAgent(other, { ask: "status" })) !== undefined);
    await askAgent(other, { ask: "lock" });
    assert.equal(await agent.ended, "asked");
  });

  test("ends when another keyring is in the place of its own, or none", async () => {
    for (const replace of [true, false]) {
      const home = await newHome("");
      const agent = await home.start();
      rmSync(join(home.path, "keyring.json"));
      if (replace) (await createKeyringFile(join(home.path, "keyring.json"), undefined)).close();
      assert.deepEqual(await home.ask({ ask: "run", caller }), declined("locked"));
      assert.equal(await agent.ended, "home-gone");
      assert.deepEqual(home.run, []);
    }
  });

  test("ends when its socket is taken away, and takes away none that is another's", async () => {
    const home = await newHome("");
    const agent = await home.start({ lockAfter: 1_000 });
    rmSync(home.place.socket);
    writeFileSync(home.place.socket, "another");
    assert.equal(await agent.ended, "unreachable");
    assert.equal(existsSync(home.place.socket), true);
  });

  test("tells an error that nobody foresaw as nothing but that", async () => {
    const home = await newHome("");
    await home.start({ open: async () => ({ keyring: agentKeyringThatFails(), ssh: { question: async () => undefined, offer: async () => [], sign: async () => undefined }, run: async () => Promise.reject(new Error("secret")), inStep: { by: () => null, workedAt: () => 0 }, close: async () => {} }) });
    const answer = await home.ask({ ask: "run", caller });
    assert.ok(answer !== undefined && "error" in answer && answer.error.code === "internal" && !answer.error.message.includes("secret"));
  });
});

/** A keyring that is there, and does nothing. */
function agentKeyringThatFails() {
  const fails = (): never => {
    throw new MeshError("keyring-failed", "");
  };
  return { list: async () => [], sign: fails, decapsulate: fails, add: fails, addAll: fails, remove: fails, signAdded: fails, derive: fails, close: () => {} };
}

describe("the socket of an agent", () => {
  test("stands where the session keeps such things, else in the home, and nowhere where its name would be too long", async () => {
    const home = await newHome("");
    assert.equal(home.place.directory, join(home.path, "agent"));
    const inSession = agentPlace(home.path, { XDG_RUNTIME_DIR: home.path });
    assert.match(inSession?.socket ?? "", /\/mesh\/[0-9a-f]{16}\/agent\.sock$/);
    assert.equal(agentPlace(home.path, { XDG_RUNTIME_DIR: "relative" })?.directory, home.place.directory);
    assert.equal(agentPlace(home.path, { XDG_RUNTIME_DIR: "/nonexistent" })?.directory, home.place.directory);
    const shared = join(home.path, "shared");
    mkdirSync(shared, { mode: 0o750 });
    assert.equal(agentPlace(home.path, { XDG_RUNTIME_DIR: shared })?.directory, home.place.directory);
    assert.equal(agentPlace(home.path, { XDG_RUNTIME_DIR: home.path })?.socket, inSession?.socket);
    assert.equal(agentPlace(join(home.path, "none"), {}), undefined);
    const long = join(home.path, "a".repeat(100));
    mkdirSync(long);
    assert.equal(agentPlace(long, {}), undefined);
    assert.notEqual(agentPlace(long, { XDG_RUNTIME_DIR: home.path }), undefined);
  });

  test("is its owner's alone, in a folder that is; a folder that others may reach is not used, by neither side", async () => {
    const home = await newHome("");
    await home.start();
    assert.equal(statSync(home.place.socket).mode & 0o777, 0o600);
    assert.equal(statSync(home.place.directory).mode & 0o777, 0o700);
    chmodSync(home.place.directory, 0o750);
    assert.equal(await home.ask({ ask: "status" }), undefined);
    await assert.rejects(home.start(), { code: "agent-failed" });
    chmodSync(home.place.directory, 0o700);
    assert.notEqual(await home.ask({ ask: "status" }), undefined);
  });

  test("of agents that start at once one is left, and answers", async () => {
    const home = await newHome("");
    const started = await Promise.allSettled(Array.from({ length: 5 }, () => home.start()));
    assert.equal(started.filter(({ status }) => status === "fulfilled").length, 1);
    for (const one of started) if (one.status === "rejected") assert.equal((one.reason as MeshError).code, "agent-running");
    assert.notEqual(await home.ask({ ask: "status" }), undefined);
  });

  test("what an agent left behind that was killed is replaced", async () => {
    const home = await newHome("");
    (await home.start()).end("asked");
    const program = `require("node:net").createServer().listen(${JSON.stringify(home.place.socket)}, () => process.kill(process.pid, "SIGKILL"))`;
    await once(spawn(process.execPath, ["-e", program]), "exit");
    assert.equal(existsSync(home.place.socket), true);
    assert.equal(await home.ask({ ask: "status" }), undefined);
    await home.start();
    assert.notEqual(await home.ask({ ask: "status" }), undefined);
  });

  test("another user is told nothing, even where he can reach the socket", { skip: process.geteuid?.() !== 0 && "only root can be another user" }, async () => {
    const home = await newHome("");
    await home.start();
    for (const folder of [home.path, home.place.directory]) chmodSync(folder, 0o755);
    chmodSync(home.place.socket, 0o666);
    assert.match(await heardBy(0, home), /"unlocked":true/);
    assert.equal(await heardBy(65_534, home), "connected\n");
  });
});

/** What a user hears who asks for the status. */
async function heardBy(user: number, { place }: TestHome): Promise<string> {
  const line = `${JSON.stringify({ v: PROTOCOL, build: "", home: place.home, ask: "status" } satisfies Request)}\n`;
  const program = `
    process.setgid(${user});
    process.setuid(${user});
    const socket = require("node:net").connect(${JSON.stringify(place.socket)});
    socket.on("connect", () => (console.log("connected"), socket.write(${JSON.stringify(line)})));
    socket.on("error", () => {}).on("data", (octets) => console.log(String(octets)));`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await once(child, "close");
  return said;
}

describe("whatever comes over the socket", () => {
  let home: TestHome;
  before(async () => {
    home = await newHome("");
    await home.start();
  });
  const alive = async () => assert.notEqual(await home.ask({ ask: "status" }), undefined);

  test("a line that is no request is declined, and nothing of it is done", async () => {
    const good = { v: PROTOCOL, build: "this build", home: home.place.home, ask: "sign", id: "a", message: "" };
    for (const line of ["", "{", "[]", "null", "1", '"x"', '{"v":1}', JSON.stringify({ ...good, extra: 1 }), JSON.stringify({ ...good, id: 1 }), JSON.stringify({ ...good, ask: "open" }), `{"v":1,"v":1}`, JSON.stringify({ ...good, id: "x".repeat(513) })]) {
      assert.equal(await lineFor(home, line), JSON.stringify(declined("malformed")), line.slice(0, 100));
    }
    const answer = JSON.parse(await lineFor(home, JSON.stringify({ ...good, message: "*" }))) as { readonly error: { readonly code: string } };
    assert.equal(answer.error.code, "base64url-malformed");
    await alive();
  });

  test("a line longer than any request is not read to its end", async () => {
    const socket = await connected(home);
    const started = performance.now();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const piece = Buffer.alloc(64 * 1024, 0x20);
    for (let sent = 0; sent <= MAX_REQUEST + piece.length && !socket.destroyed; sent += piece.length) socket.write(piece);
    await closed;
    assert.ok(performance.now() - started < 4_000, "it was cut off for its length, not for its time");
    await alive();
  });

  test("a second line is not read", async () => {
    const line = JSON.stringify({ v: PROTOCOL, build: "", home: home.place.home, ask: "status" });
    assert.equal((await lineFor(home, `${line}\n${line}`)).split("\n").length, 1);
  });

  test("a connection that says nothing, or half a line and no more, holds up nobody, and is closed", async () => {
    const silent = await Promise.all(Array.from({ length: 20 }, () => connected(home)));
    for (const socket of silent.slice(10)) socket.write('{"v":1,');
    await alive();
    const closed = Promise.all(silent.map((socket) => once(socket, "close")));
    for (const socket of silent.slice(15)) socket.end();
    await closed;
    await alive();
  });

  test("a thousand at once: each is answered or turned away, and the next is answered", async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => home.ask({ ask: "list" })));
    assert.ok(answers.filter((answer) => answer !== undefined).length >= 500);
    for (const answer of answers) if (answer !== undefined) assert.ok("ok" in answer);
    await alive();
  });

  test("a caller that goes away in the middle is no fault of anybody's", async () => {
    for (let times = 0; times < 20; times++) {
      const socket = await connected(home);
      socket.write(`${JSON.stringify({ v: PROTOCOL, build: "this build", home: home.place.home, ask: "derive", label: "x", length: 32 })}\n`);
      socket.destroy();
    }
    await sleep(20);
    await alive();
  });
});

async function connected(home: TestHome): Promise<Socket> {
  const socket = connect(home.place.socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** The answer to a line, without its end. */
async function lineFor(home: TestHome, line: string): Promise<string> {
  const socket = await connected(home);
  let said = "";
  socket.setEncoding("utf8").on("data", (text: string) => (said += text));
  socket.write(`${line}\n`);
  await once(socket, "close");
  return said.trimEnd();
}
