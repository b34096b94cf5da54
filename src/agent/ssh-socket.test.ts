import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { byte, SshReader, string, uint32 } from "../applications/ssh/wire.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { verifyEd25519 } from "../crypto/ed25519.ts";
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
