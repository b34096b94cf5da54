import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { byte, SshReader, string, uint32 } from "../applications/ssh/wire.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { verifyEd25519 } from "../crypto/ed25519.ts";
import { makePrompter } from "./prompt.ts";
import { makeAgentHome, sshKey, type TestHome } from "./test-agent.ts";

const homes: TestHome[] = [];
afterEach(async () => {
  for (const home of homes.splice(0)) await home.remove();
});

async function newHome(passphrase?: string): Promise<TestHome> {
  const home = await makeAgentHome(passphrase);
  homes.push(home);
  return home;
}

/** A client of SSH, which sends messages and takes their answers in order; undefined once it was cut off. */
async function client(home: TestHome): Promise<{ ask(message: Uint8Array): Promise<SshReader | undefined>; readonly socket: Socket }> {
  const socket = connect(home.place.sshSocket);
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  let held = Buffer.alloc(0);
  let closed = false;
  socket.on("data", (piece: Buffer) => (held = Buffer.concat([held, piece]))).on("close", () => (closed = true)).on("error", () => {});
  return {
    socket,
    ask: async (message) => {
      socket.write(message);
      while (held.length < 4 || held.length < 4 + held.readUInt32BE(0)) {
        if (closed) return undefined;
        await wait(2);
      }
      const answer = new Uint8Array(held.subarray(4, 4 + held.readUInt32BE(0)));
      held = held.subarray(4 + held.readUInt32BE(0));
      return new SshReader(answer, "An answer");
    },
  };
}

const message = (...parts: readonly Uint8Array[]) => string(concatBytes(...parts));
const list = message(byte(11));
const sign = (key: Uint8Array, data: Uint8Array) => message(byte(13), string(key), string(data), uint32(0));
const FAILURE = 5;
const SUCCESS = 6;

suite("the agent as an agent of SSH (draft-ietf-sshm-ssh-agent)", () => {
  test("lists its key and signs with it, at a socket that is its user's alone", async () => {
    const home = await newHome("");
    await home.start();
    assert.equal(statSync(home.place.sshSocket).mode & 0o777, 0o600);
    const ssh = await client(home);
    const listed = await ssh.ask(list);
    assert.deepEqual([listed?.byte(), listed?.uint32(), listed?.string(), listed?.text()], [12, 1, sshKey.blob, "this device"]);
    const signed = await ssh.ask(sign(sshKey.blob, utf8("data")));
    assert.equal(signed?.byte(), 14);
    const signature = new SshReader(signed?.string() ?? new Uint8Array(0), "A signature");
    assert.equal(signature.text(), "ssh-ed25519");
    assert.ok(verifyEd25519(sshKey.publicKey, utf8("data"), signature.string()));
    assert.equal((await ssh.ask(sign(utf8("another"), utf8("data"))))?.byte(), FAILURE);
    ssh.socket.destroy();
  });

  test("a client that comes before its person has unlocked waits, and is answered then", async () => {
    const home = await newHome();
    await home.start();
    const ssh = await client(home);
    const waiting = ssh.ask(list);
    await wait(50);
    await home.ask({ ask: "unlock", passphrase: "geheim" });
    const listed = await waiting;
    assert.deepEqual([listed?.byte(), listed?.uint32()], [12, 1]);
    ssh.socket.destroy();
  });

  test("ssh-add -x hides the keys until the same passphrase comes again", async () => {
    const home = await newHome("");
    await home.start();
    const ssh = await client(home);
    const turn = async (number: number, word: string) => (await ssh.ask(message(byte(number), string(word))))?.byte();
    const shown = async () => {
      const listed = await ssh.ask(list);
      listed?.byte();
      return listed?.uint32();
    };
    assert.deepEqual([await turn(23, "word"), await turn(22, ""), await turn(22, "word"), await turn(22, "other")], [FAILURE, FAILURE, SUCCESS, FAILURE]);
    assert.deepEqual([await shown(), (await ssh.ask(sign(sshKey.blob, utf8("data"))))?.byte()], [0, FAILURE]);
    assert.deepEqual([await turn(23, "other"), await shown()], [FAILURE, 0]);
    assert.deepEqual([await turn(23, "word"), await shown()], [SUCCESS, 1]);
    ssh.socket.destroy();
  });

  test("a client that breaks the form of messages is cut off, and the others are served; half a message ends nobody else's", async () => {
    const home = await newHome("");
    await home.start();
    const good = await client(home);
    const half = await client(home);
    half.socket.write(list.subarray(0, 3));
    for (const bad of [uint32(0), uint32(256 * 1024 + 1), uint32(2 ** 32 - 1)]) assert.equal(await (await client(home)).ask(bad), undefined);
    assert.equal((await good.ask(list))?.byte(), 12);
    assert.equal((await half.ask(list.subarray(3)))?.byte(), 12);
    // A message that only is not in its form is answered, and the connection goes on.
    assert.equal((await good.ask(message(byte(13), byte(1))))?.byte(), FAILURE);
    assert.equal((await good.ask(message(byte(27), string("new@example.com"))))?.byte(), 28);
    for (const one of [good, half]) one.socket.destroy();
  });

  test("clients of SSH alone keep it unlocked, and none finds it after it has locked", async () => {
    const home = await newHome("");
    const agent = await home.start({ lockAfter: 400 });
    const ssh = await client(home);
    for (let n = 0; n < 4; n++) {
      await wait(150);
      assert.equal((await ssh.ask(list))?.byte(), 12);
    }
    assert.equal(await agent.ended, "idle");
    assert.equal(existsSync(home.place.sshSocket), false);
    ssh.socket.destroy();
  });
});

/** A window that is a script: it says in `asked` what it was asked, and does what `does` says. */
function window(home: TestHome, does: string) {
  const [program, asked] = [join(home.path, "askpass"), join(home.path, "asked")];
  writeFileSync(program, `#!/bin/sh\nprintf '%s|%s\\n' "$SSH_ASKPASS_PROMPT" "$1" >>'${asked}'\n${does}\n`, { mode: 0o700 });
  return { prompter: makePrompter({ PATH: process.env["PATH"] ?? "", DISPLAY: ":0", SSH_ASKPASS: program }, 2_500), asked: () => (existsSync(asked) ? readFileSync(asked, "utf8").split("\n").slice(0, -1) : []) };
}

/** What the agent says of itself. */
async function refusedBy(home: TestHome): Promise<string | undefined> {
  const answer = await home.ask({ ask: "status" });
  return answer !== undefined && "ok" in answer ? (answer.ok as { readonly refused: { readonly code: string } | null }).refused?.code : undefined;
}

suite("a client of SSH at a locked agent (docs/spec/agent.md 6)", () => {
  test("its person is asked for the passphrase, once for all who wait, by the program that ssh asks by", async () => {
    const home = await newHome();
    const { asked, prompter } = window(home, "sleep 0.2; echo geheim");
    await home.start({ prompter });
    const clients = await Promise.all([client(home), client(home)]);
    assert.deepEqual(await Promise.all(clients.map(async (one) => (await one.ask(list))?.byte())), [12, 12]);
    assert.equal(asked().length, 1);
    assert.ok(asked()[0]?.startsWith(`|${process.execPath}`) && asked()[0]?.includes(home.place.home), asked().join());
    for (const one of clients) one.socket.destroy();
  });

  test("what was not it is asked for again, three times in all; then, and when she wants not to, nobody is asked for a minute", async () => {
    const home = await newHome();
    const { asked, prompter } = window(home, "echo falsch");
    await home.start({ prompter });
    const ssh = await client(home);
    const listed = await ssh.ask(list);
    assert.deepEqual([listed?.byte(), listed?.uint32(), asked().length, await refusedBy(home)], [12, 0, 3, "keyring-wrong-passphrase"]);
    assert.match(asked()[1] ?? "", /That was not it\./);
    await ssh.ask(list);
    assert.equal(asked().length, 3, "programs that try by themselves open no more windows");
    await home.ask({ ask: "unlock", passphrase: "geheim" });
    const after = await ssh.ask(list);
    assert.deepEqual([after?.byte(), after?.uint32()], [12, 1]);
    ssh.socket.destroy();
  });

  test("the window goes with the last client that waits, and when it is unlocked by hand", async () => {
    const home = await newHome();
    const { asked, prompter } = window(home, `echo $$ >>'${home.path}/pid'; exec sleep 60`);
    await home.start({ prompter });
    const windows = (): readonly number[] => (existsSync(join(home.path, "pid")) ? readFileSync(join(home.path, "pid"), "utf8").split("\n").slice(0, -1).map(Number) : []);
    const until = async (holds: () => boolean, what: string) => {
      for (let n = 0; !holds(); n++) {
        assert.ok(n < 400, what);
        await wait(10);
      }
    };
    const left = await client(home);
    void left.ask(list);
    await until(() => windows().length === 1, "a window opens");
    left.socket.destroy();
    await until(() => !existsSync(`/proc/${windows()[0]}`), "it closes");
    const stays = await client(home);
    const listed = stays.ask(list);
    await until(() => windows().length === 2, "another opens");
    await home.ask({ ask: "unlock", passphrase: "geheim" });
    assert.equal((await listed)?.byte(), 12);
    await until(() => !existsSync(`/proc/${windows()[1]}`), "it closes");
    assert.deepEqual([asked().length, await refusedBy(home)], [2, undefined]);
    stays.socket.destroy();
  });
});

suite("a person who wants to be asked before her agent signs (docs/spec/agent.md 6)", () => {
  const question = async () => ({ what: "log in", by: "server2" });
  test("is told the program, what it wants and by way of which computer; yes signs, no and nobody do not, and the agent says why", async () => {
    const answers: readonly (readonly [string, number, string | undefined])[] = [["exit 0", 14, undefined], ["echo yes", 14, undefined], ["exit 1", FAILURE, "prompt-denied"], ["echo no", FAILURE, "prompt-denied"], ["exec sleep 60", FAILURE, "prompt-timed-out"]];
    await Promise.all(answers.map(async ([does, number, code]) => {
      const home = await newHome("");
      const { asked, prompter } = window(home, does);
      await home.start({ prompter, ssh: { question } });
      const ssh = await client(home);
      assert.deepEqual([(await ssh.ask(sign(sshKey.blob, utf8("data"))))?.byte(), await refusedBy(home)], [number, code], does);
      assert.ok(asked()[0]?.startsWith(`confirm|${process.execPath} (started by`), asked().join());
      assert.match(asked()[0] ?? "", /wants to log in\. The request comes from server2, to which your agent is lent\. Allow it\?$/);
      ssh.socket.destroy();
    }));
    const home = await newHome("");
    await home.start({ ssh: { question } });
    const ssh = await client(home);
    assert.deepEqual([(await ssh.ask(sign(sshKey.blob, utf8("data"))))?.byte(), await refusedBy(home)], [FAILURE, "prompt-missing"]);
    ssh.socket.destroy();
  });
});

suite("whoever comes to the socket of SSH", () => {
  test("another user is told nothing, even where he can reach it", { skip: process.geteuid?.() !== 0 && "only root can be another user" }, async () => {
    const home = await newHome("");
    await home.start();
    for (const folder of [home.path, home.place.directory]) chmodSync(folder, 0o755);
    chmodSync(home.place.sshSocket, 0o666);
    const heardBy = async (user: number): Promise<string> => {
      const program = `process.setgid(${user}); process.setuid(${user});
        require("node:net").connect(${JSON.stringify(home.place.sshSocket)}).on("connect", function () { console.log("connected"); this.write(Buffer.from([0, 0, 0, 1, 11])); }).on("error", () => {}).on("data", function (octets) { console.log("told", octets[4]); this.destroy(); });`;
      const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
      await once(child, "close");
      return said;
    };
    assert.deepEqual([await heardBy(0), await heardBy(65_534)], ["connected\ntold 12\n", "connected\n"]);
  });

  test("a thousand that hold a connection, with half a message or none, or that ask without end and read nothing, keep nobody out", async () => {
    const home = await newHome("");
    let offers = 0;
    await home.start({ ssh: { offer: async () => [{ blob: sshKey.blob, comment: `${(offers += 1)}` }] } });
    const held: Socket[] = [];
    try {
      for (let n = 0; n < 1_000; n++) {
        const socket = connect(home.place.sshSocket);
        socket.on("error", () => {});
        await once(socket, "connect");
        if (n % 2 === 0) socket.write(list.subarray(0, 3));
        held.push(socket);
      }
      const asking = Buffer.concat(Array.from({ length: 50_000 }, () => list));
      for (const one of held.slice(-20)) one.pause().write(asking);
      await wait(200);
      const ssh = await client(home);
      held.push(ssh.socket);
      assert.equal((await ssh.ask(list))?.byte(), 12);
      assert.ok(offers < 20 * 10_000, `what is not read is not answered for ever: ${offers} answers`);
    } finally {
      for (const one of held) one.destroy();
    }
  });
});
