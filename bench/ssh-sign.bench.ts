import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import { byte, SshReader, string, uint32 } from "../src/applications/ssh/wire.ts";
import { concatBytes } from "../src/bytes/equal.ts";
import { expectStatus, openPlace } from "../test/support/processes.ts";
import { atLeast, atMost, type Bench, median, reported } from "./bench.ts";

const [ROUNDS, SIGNATURES] = [5, 400];
const [BAR_MS, BAR_RATIO] = [2, 2];

/** How fast the agent signs for a client of SSH, with a key that has no seed. */
export const bench: Bench = {
  name: "ssh-sign",
  about: `signatures over 250 octets through the agent's socket, one client, one after the other, beside OpenSSH's ssh-agent with a key of Ed25519; medians of ${ROUNDS} interleaved rounds of ${SIGNATURES}, real processes`,
  run: async () => {
    const place = openPlace();
    const folder = mkdtempSync(join(tmpdir(), "mesh-bench-"));
    const peer = startPeer(folder);
    const agent = await startOurs(place);
    try {
      const [ours, theirs] = [await connected(agent.socket), await connected(peer.socket)];
      const [rates, peers, slow, slowPeer]: [number[], number[], number[], number[]] = [[], [], [], []];
      for (const one of [ours, theirs]) await signMany(one);
      for (let round = 0; round < ROUNDS; round++) {
        const [a, b] = [await signMany(ours), await signMany(theirs)];
        rates.push(a.rate);
        slow.push(a.p95);
        peers.push(b.rate);
        slowPeer.push(b.p95);
      }
      const against = `ssh-agent: ${median(peers).toFixed(0)} a second, 95 of 100 within ${median(slowPeer).toFixed(2)} ms`;
      for (const one of [ours, theirs]) one.socket.destroy();
      return [
        atMost(BAR_MS, { name: "95 of 100 signatures within", value: median(slow), unit: "ms", against }),
        atLeast(BAR_RATIO, { name: "signatures a second", value: median(rates) / median(peers), unit: "x ssh-agent", against }),
        reported({ name: "the same by itself", value: median(rates), unit: "a second", against }),
      ];
    } finally {
      agent.end();
      peer.end();
      await place.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Our agent, of a home whose mesh has SSH. */
async function startOurs(place: ReturnType<typeof openPlace>): Promise<{ readonly socket: string; end(): void }> {
  const portal = await place.portal();
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 0);
  expectStatus(await place.mesh("desktop", ["ssh", "setup"]), 0);
  const running = place.start("desktop", ["agent"]);
  return { socket: join(place.home("desktop"), "agent", "ssh.sock"), end: () => running.kill("SIGTERM") };
}

/** OpenSSH's agent with one key; it ends with the process that it tells of. */
function startPeer(folder: string): { readonly socket: string; end(): void } {
  const [socket, key] = [join(folder, "peer.sock"), join(folder, "key")];
  const { stdout } = spawnSync("ssh-agent", ["-a", socket], { encoding: "utf8" });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  spawnSync("ssh-add", ["-q", key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return { socket, end: () => void process.kill(pid) };
}

type Client = { readonly socket: Socket; ask(message: Uint8Array): Promise<Uint8Array> };

async function connected(path: string): Promise<Client> {
  for (let tries = 0; ; tries++) {
    const socket = connect(path);
    const open = await new Promise<boolean>((resolve) => socket.once("connect", () => resolve(true)).once("error", () => resolve(false)));
    if (open) return clientOf(socket);
    if (tries === 200) throw new Error(`nobody answers at ${path}`);
    await wait(50);
  }
}

function clientOf(socket: Socket): Client {
  let held = Buffer.alloc(0);
  let taken: (answer: Uint8Array) => void = () => {};
  socket.on("data", (piece: Buffer) => {
    held = Buffer.concat([held, piece]);
    if (held.length < 4 || held.length < 4 + held.readUInt32BE(0)) return;
    const answer = new Uint8Array(held.subarray(4));
    held = Buffer.alloc(0);
    taken(answer);
  });
  return {
    socket,
    ask: (message) =>
      new Promise((resolve) => {
        taken = resolve;
        socket.write(message);
      }),
  };
}

async function signMany(client: Client): Promise<{ readonly rate: number; readonly p95: number }> {
  const listed = new SshReader(await client.ask(string(byte(11))), "An answer");
  listed.byte();
  listed.uint32();
  const key = listed.string();
  const times: number[] = [];
  const started = performance.now();
  for (let n = 0; n < SIGNATURES; n++) {
    const before = performance.now();
    const answer = await client.ask(string(concatBytes(byte(13), string(key), string(randomBytes(250)), uint32(0))));
    if (answer[0] !== 14) throw new Error("the agent did not sign");
    times.push(performance.now() - before);
  }
  const rate = (SIGNATURES * 1000) / (performance.now() - started);
  times.sort((a, b) => a - b);
  return { rate, p95: times[Math.floor(SIGNATURES * 0.95)] as number };
}
