import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askAgent } from "../src/agent/ask.ts";
import type { AgentStatus } from "../src/agent/messages.ts";
import { agentPlace } from "../src/agent/place.ts";
import { defaultPasswordParameters, passwordKey } from "../src/crypto/password-key.ts";
import { randomBytes } from "../src/crypto/random.ts";
import { utf8 } from "../src/bytes/text.ts";
import { expectStatus, openPlace, type Place } from "../test/support/processes.ts";
import { root } from "../test/tree.ts";
import { atMost, type Bench, interleave, median, type Measurement, reported } from "./bench.ts";

const [ENTRIES, ROUNDS, UNLOCKS] = [10_000, 60, 7];
const [GET_BAR, UNLOCK_MS, SETTLED_MB, SETTLING_MS] = [1.4, 100, 90, 8_000];

/** The resident agent at 10,000 logins: what a command through it costs, how long unlocking takes, what memory it keeps (product contract). */
export const bench: Bench = {
  name: "agent",
  about: `commands through the agent of a home with ${ENTRIES} logins under a passphrase: medians of ${ROUNDS} shuffled starts, of ${UNLOCKS} times unlocking; memory ${SETTLING_MS / 1000} s after the last command`,
  run: async () => {
    const place = openPlace();
    try {
      await makeHome(place);
      return [...(await unlocking(place)), ...(await commands(place))];
    } finally {
      await place.mesh("desktop", ["lock"], { MESH_NO_AGENT: "" });
      await place.close();
    }
  },
};

/** Made at a real portal, and sent: the logins stand where they stand after years. */
async function makeHome(place: Place): Promise<void> {
  const portal = await place.portal();
  const passphrase = place.file("passphrase", "correct horse battery staple\n");
  const file = place.file("logins.csv", ["name,url,username,password", ...Array.from({ length: ENTRIES }, (_, at) => `Site ${at},https://site${at}.example.com/login,alice${at}@example.com,${randomBytes(12).toHex()}`)].join("\n"));
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--device-name", "desktop", "--portal", portal.url, "--passphrase-file", passphrase]), 0);
  expectStatus(await place.mesh("desktop", ["password", "import", file, "--format", "chrome-csv", "--passphrase-file", passphrase]), 0);
  expectStatus(await place.mesh("desktop", ["sync", "--passphrase-file", passphrase]), 0);
  await portal.stop();
}

/** From the passphrase to the answer, against one run of Argon2id at the same parameters in this process. */
async function unlocking(place: Place): Promise<readonly Measurement[]> {
  const [salt, passphrase] = [randomBytes(32), "correct horse battery staple"];
  const at = agentPlace(realpathSync(place.home("desktop")), {});
  if (at === undefined) throw new Error("no place for an agent");
  const [times, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < UNLOCKS; round++) {
    const agent = spawn(join(root, "mesh"), ["agent", "--home", place.home("desktop")], { env: { HOME: place.folder, PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "ignore", "pipe"] });
    await once(agent.stderr, "data");
    const answer = await askAgent({ place: at, build: "" }, { ask: "status" });
    const { build } = (answer as { readonly ok: AgentStatus }).ok;
    await passwordKey(utf8(passphrase), salt, defaultPasswordParameters);
    bare.push(await timed(() => passwordKey(utf8(passphrase), salt, defaultPasswordParameters)));
    times.push(await timed(() => askAgent({ place: at, build }, { ask: "unlock", passphrase })));
    const gone = once(agent, "exit");
    await askAgent({ place: at, build }, { ask: "lock" });
    await gone;
  }
  const one = median(bare);
  return [atMost(one + UNLOCK_MS, { name: "unlock", value: median(times), unit: "ms", against: `one run of Argon2id: ${one.toFixed(0)} ms, and ${UNLOCK_MS} ms` })];
}

async function commands(place: Place): Promise<readonly Measurement[]> {
  const started = performance.now();
  expectStatus(await place.mesh("desktop", ["unlock", "--passphrase-file", place.file("passphrase", "correct horse battery staple\n")], { MESH_NO_AGENT: "" }), 0);
  const whole = performance.now() - started;
  const empty = join(place.folder, "empty.mjs");
  writeFileSync(empty, "");
  const env = { HOME: place.folder, PATH: process.env["PATH"] ?? "", MESH_HOME: place.home("desktop") };
  const mesh = (...args: readonly string[]) => () => runs(join(root, "mesh"), args, env);
  mesh("password", "get", "Site 77")();
  const times = await interleave(ROUNDS, {
    empty: () => runs(process.execPath, [empty], env),
    get: mesh("password", "get", "Site 4711"),
    without: () => runs(join(root, "mesh"), ["password", "get", "Site 4711", "--passphrase-file", join(place.folder, "passphrase")], env),
    search: mesh("password", "search", "Site 99"),
  });
  mesh("password", "list", "--json")();
  await sleep(SETTLING_MS);
  const answer = await askAgent({ place: agentPlace(place.home("desktop"), {}) ?? fail(), build: "" }, { ask: "status" });
  const { pid } = (answer as { readonly ok: AgentStatus }).ok;
  const resident = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  const base = median(times.empty);
  const against = `empty Node process: ${base.toFixed(1)} ms`;
  return [
    atMost(GET_BAR, { name: "mesh password get", value: median(times.get) / base, unit: "x", against }),
    reported({ name: "mesh password search, a hundred found", value: median(times.search) / base, unit: "x", against }),
    reported({ name: "mesh password get without the agent", value: median(times.without) / base, unit: "x", against: `${against}; it runs Argon2id` }),
    reported({ name: "mesh unlock, the whole command", value: whole, unit: "ms", against: "it starts the agent" }),
    atMost(SETTLED_MB, { name: "memory when it has settled", value: resident, unit: "MB", against: `after ${ROUNDS} gets and searches, and a list of all` }),
  ];
}

function fail(): never {
  throw new Error("no place for an agent");
}

function runs(command: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
  const { status, stderr } = spawnSync(command, args, { stdio: ["ignore", "pipe", "pipe"], env, maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${String(stderr)}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
