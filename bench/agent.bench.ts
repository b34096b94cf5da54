import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askAgent } from "../src/agent/ask.ts";
import type { AgentStatus, Wish } from "../src/agent/messages.ts";
import { agentPlace, type Place as AgentPlace } from "../src/agent/place.ts";
import { defaultPasswordParameters, passwordKey } from "../src/crypto/password-key.ts";
import { randomBytes } from "../src/crypto/random.ts";
import { utf8 } from "../src/bytes/text.ts";
import { expectStatus, openPlace, type Place } from "../test/support/processes.ts";
import { root } from "../test/tree.ts";
import { atLeast, atMost, type Bench, interleave, median, type Measurement, reported } from "./bench.ts";
import { installPeer } from "./peers/install.ts";

const PASSPHRASE = "correct horse battery staple";
const [ROUNDS, UNLOCKS, SEARCHES, SETTLING_MS] = [60, 7, 15, 8_000];
const [GET_BAR, PEER_BAR] = [1.4, 15];
/** For so many logins: milliseconds beside Argon2id to unlock, of processor to search, and MB when all is quiet. */
const sizes = [{ entries: 10_000, unlockMs: 100, searchMs: 10, settledMb: 90 }, { entries: 100_000, unlockMs: 200, searchMs: 50, settledMb: 150 }] as const;

/** The resident agent at 10,000 logins and at 100,000: what a command through it costs, how long unlocking takes, what memory it keeps (product contract). */
export const bench: Bench = {
  name: "agent",
  about: `through the agent of a home with 10,000 logins under a passphrase, and with 100,000: medians of ${ROUNDS} shuffled starts of commands, of ${UNLOCKS} times unlocking, of ${SEARCHES} searches in the agent's processor time; memory ${SETTLING_MS / 1000} s after the last command`,
  run: async () => {
    const measured: Measurement[] = [];
    for (const size of sizes) {
      const place = openPlace();
      try {
        await makeHome(place, size.entries);
        measured.push(await unlocking(place, size), ...(await commands(place, size)));
      } finally {
        await place.mesh("desktop", ["lock"], { MESH_NO_AGENT: "" });
        await place.close();
      }
    }
    return measured;
  },
};

type Size = (typeof sizes)[number];

/** Made at a real portal, and sent: the logins stand where they stand after years. */
async function makeHome(place: Place, entries: number): Promise<void> {
  const portal = await place.portal();
  const passphrase = place.file("passphrase", `${PASSPHRASE}\n`);
  const file = place.file("logins.csv", ["name,url,username,password", ...Array.from({ length: entries }, (_, at) => `Site ${at},https://site${at}.example.com/login,alice${at}@example.com,${randomBytes(12).toHex()}`)].join("\n"));
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--device-name", "desktop", "--portal", portal.url, "--passphrase-file", passphrase]), 0);
  expectStatus(await place.mesh("desktop", ["password", "import", file, "--format", "chrome-csv", "--passphrase-file", passphrase]), 0);
  expectStatus(await place.mesh("desktop", ["sync", "--passphrase-file", passphrase]), 0);
  await portal.stop();
}

/** From the passphrase to the answer, against one run of Argon2id at the same parameters in this process. */
async function unlocking(place: Place, { entries, unlockMs }: Size): Promise<Measurement> {
  const [salt, at] = [randomBytes(32), placeOf(place)];
  const [times, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < UNLOCKS; round++) {
    const agent = spawn(join(root, "mesh"), ["agent", "--home", place.home("desktop")], { env: { HOME: place.folder, PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "ignore", "pipe"] });
    await once(agent.stderr, "data");
    const { build } = await statusOf(at);
    await passwordKey(utf8(PASSPHRASE), salt, defaultPasswordParameters);
    bare.push(await timed(() => passwordKey(utf8(PASSPHRASE), salt, defaultPasswordParameters)));
    times.push(await timed(() => askAgent({ place: at, build }, { ask: "unlock", passphrase: PASSPHRASE })));
    const gone = once(agent, "exit");
    await askAgent({ place: at, build }, { ask: "lock" });
    await gone;
  }
  const one = median(bare);
  return atMost(one + unlockMs, { name: `unlock among ${entries}`, value: median(times), unit: "ms", against: `one run of Argon2id: ${one.toFixed(0)} ms, and ${unlockMs} ms` });
}

async function commands(place: Place, size: Size): Promise<readonly Measurement[]> {
  const whole = await timed(async () => expectStatus(await place.mesh("desktop", ["unlock", "--passphrase-file", join(place.folder, "passphrase")], { MESH_NO_AGENT: "" }), 0));
  const env = { HOME: place.folder, PATH: process.env["PATH"] ?? "", MESH_HOME: place.home("desktop") };
  const mesh = (...args: readonly string[]) => () => runs(join(root, "mesh"), args, env);
  mesh("password", "get", "Site 77")();
  const starts = size.entries === 10_000 ? [...(await started(place, env, mesh)), reported({ name: "mesh unlock, the whole command", value: whole, unit: "ms", against: "it starts the agent" })] : [];
  const search = await searching(place, size);
  mesh("password", "list", "--json")();
  await sleep(SETTLING_MS);
  const { pid } = await statusOf(placeOf(place));
  const resident = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  return [...starts, search, atMost(size.settledMb, { name: `memory with ${size.entries}, when it has settled`, value: resident, unit: "MB", against: "after gets, searches, and a list of all" })];
}

/** Whole commands, beside an empty process and Bitwarden's command line, which says only its version. */
async function started(place: Place, env: Readonly<Record<string, string>>, mesh: (...args: readonly string[]) => () => void): Promise<readonly Measurement[]> {
  const empty = join(place.folder, "empty.mjs");
  writeFileSync(empty, "");
  const bw = join(await installPeer("bitwarden", 1, [], console.error), "node_modules", "@bitwarden", "cli", "build", "bw.js");
  runs(process.execPath, [bw, "--version"], env);
  const times = await interleave(ROUNDS, {
    empty: () => runs(process.execPath, [empty], env),
    get: mesh("password", "get", "Site 4711"),
    without: () => runs(join(root, "mesh"), ["password", "get", "Site 4711", "--passphrase-file", join(place.folder, "passphrase")], env),
    search: mesh("password", "search", "Site 99"),
    peer: () => runs(process.execPath, [bw, "--version"], env),
  });
  const base = median(times.empty);
  const against = `empty Node process: ${base.toFixed(1)} ms`;
  return [
    atMost(GET_BAR, { name: "mesh password get", value: median(times.get) / base, unit: "x", against }),
    atLeast(PEER_BAR, { name: "bw --version", value: median(times.peer) / median(times.get), unit: "x mesh password get", against: `${median(times.peer).toFixed(0)} ms; Bitwarden's command line on the same Node` }),
    reported({ name: "mesh password search, a hundred found", value: median(times.search) / base, unit: "x", against }),
    reported({ name: "mesh password get without the agent", value: median(times.without) / base, unit: "x", against: `${against}; it runs Argon2id` }),
  ];
}

/** Searches that find one login, in the agent's processor time, from the request to the answer. */
async function searching(place: Place, { entries, searchMs }: Size): Promise<Measurement> {
  const at = placeOf(place);
  const { build, pid } = await statusOf(at);
  const wish: Wish = { ask: "run", caller: { argv: ["password", "search", "site4711.example"], environment: {}, terminals: [false, false, false], columns: null } };
  const times: number[] = [];
  for (let round = 0; round <= SEARCHES; round++) {
    const before = processorOf(pid);
    const answer = await askAgent({ place: at, build }, wish);
    if (answer === undefined || !("ok" in answer)) throw new Error("the agent did not search");
    times.push(processorOf(pid) - before);
  }
  const [first = 0, ...rest] = times;
  return atMost(searchMs, { name: `a search among ${entries}`, value: median(rest), unit: "ms", against: `in time of the processor; the first ${first.toFixed(0)} ms` });
}

/** Milliseconds of processor time that a process has used. */
function processorOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
  return tasks.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
}

function placeOf(place: Place): AgentPlace {
  const at = agentPlace(realpathSync(place.home("desktop")), {});
  if (at === undefined) throw new Error("no place for an agent");
  return at;
}

async function statusOf(place: AgentPlace): Promise<AgentStatus> {
  const answer = await askAgent({ place, build: "" }, { ask: "status" });
  if (answer === undefined || !("ok" in answer)) throw new Error("no agent answers");
  return answer.ok as AgentStatus;
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
