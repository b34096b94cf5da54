import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { toBase64url } from "../../src/bytes/base64url.ts";
import { utf8 } from "../../src/bytes/text.ts";
import { openPortalData } from "../../src/cli/portal/data.ts";
import type { LogSigners } from "../../src/cli/portal/log-keys.ts";
import { LogKeeper, readCheckpoint, readNote, Replay, rootAt, tilesIn } from "../../src/notary/index.ts";
import { standingOf } from "../../src/portal/logged.ts";
import { shelf } from "../../src/portal/records.ts";
import { check } from "../../src/portal/upkeep/check.ts";
import type { Finding } from "../../src/portal/upkeep/finding.ts";
import { loadWhole } from "../../src/portal/whole.ts";
import type { MasterId } from "../../src/profiles/types.ts";
import { OUTSIDE } from "../../src/cli/portal/store.ts";
import { sha512Text } from "../../src/crypto/digest.ts";
import { openDirectoryDepot } from "../../src/store/directory-depot.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { withDepot } from "../../src/store/with-depot.ts";
import { isLong } from "../support/long.ts";
import { CachedDisk, operationsIn, recording } from "../support/power-cut.ts";
import { expectStatus, openPlace } from "../support/processes.ts";
import { root } from "../tree.ts";

/** At each so many cuts the log is opened, too, which reads all of it. */
const LOG_EVERY = isLong ? 1 : 8;

/** Rows that are never changed once they are there. */
const LASTING = ["blobs", "objects", "bodies", "masters", "personals", "applications", "commits"];

/** What a portal had acknowledged at a time: seconds since 1970; `checkpoint` is what its log had shown to anybody. */
type Acknowledged = { readonly at: number; readonly rows: ReadonlyMap<string, string>; readonly revision: number; readonly checkpoint: string | undefined };

function rowsIn(path: string): Omit<Acknowledged, "at"> {
  using database = new DatabaseSync(path, { timeout: 1000 });
  const lasting = database.prepare(`SELECT shelf || '/' || key AS name, hex(value) AS value FROM entry WHERE shelf IN (${LASTING.map((name) => `'${name}'`).join()})`).all();
  const { value } = database.prepare("SELECT CAST(value AS TEXT) AS value FROM entry WHERE shelf = 'meshes'").get() ?? {};
  const shown = database.prepare("SELECT CAST(value AS TEXT) AS value FROM entry WHERE shelf = 'log' AND key = 'checkpoint'").get() ?? {};
  return { checkpoint: typeof shown["value"] === "string" ? shown["value"] : undefined, rows: new Map(lasting.map((row) => [String(row["name"]), String(row["value"])])), revision: typeof value === "string" ? (JSON.parse(value) as { revision: number }).revision : 0 };
}

/** Chance that comes out the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("power cuts: whatever was not synced is lost, in part or whole, at every moment; all that was acknowledged is there, and the portal opens", { timeout: 300_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const folder = join(realpathSync(place.folder), "portal");
  const url = (await place.json<{ url: string }>("operator", ["portal", "init", "--data", folder, "--domain", "example.com"])).url;
  const acknowledged: Acknowledged[] = [];
  const traces: string[] = [];
  const run = async (who: string, ...args: string[]): Promise<void> => {
    expectStatus(await place.mesh(who, args), 0);
    acknowledged.push({ at: Date.now() / 1000, ...rowsIn(join(folder, "portal.db")) });
  };
  const serve = async (): Promise<ChildProcess> => {
    const out = join(place.folder, `trace-${traces.length}`);
    traces.push(out);
    const child = spawn("strace", ["-D", ...recording(out), join(root, "mesh"), "portal", "serve", "--data", folder, "--depot", join(folder, "depot")], { env: { HOME: place.folder, PATH: process.env["PATH"] ?? "", UV_THREADPOOL_SIZE: "2" }, stdio: ["ignore", "ignore", "pipe"] });
    t.after(() => child.kill("SIGKILL"));
    await new Promise<void>((done, fail) => {
      child.stderr?.setEncoding("utf8").on("data", (text: string) => text.includes("Portal ready") && done());
      child.once("exit", (status) => fail(new Error(`the portal ended with ${status}`)));
    });
    return child;
  };
  const stop = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    const gone = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await gone;
  };

  const first = await serve();
  await run("desktop", "create", "alice@example.com", "--portal", url, "--no-passphrase");
  for (const name of ["one", "two"]) await run("desktop", "password", "add", name, "--generate");
  writeFileSync(join(place.folder, "scan"), "x".repeat(5_000));
  await run("desktop", "password", "attach", "two", join(place.folder, "scan"));
  // Ended in good order it writes everything into the one file; that is a time like any other.
  await stop(first, "SIGTERM");
  const second = await serve();
  for (const name of ["three", "four"]) await run("desktop", "password", "add", name, "--generate");
  await stop(second, "SIGTERM");

  const operations = traces.flatMap((path) => operationsIn(path, folder, /^(?:portal\.db(?:-wal)?|depot\/.\/.*)$/));
  const disk = new CachedDisk();
  const chance = seeded(3);
  const cut = scratch(t, place.folder);
  const signers = (await openPortalData(folder)).log ?? assert.fail("no log");
  let [cuts, lossy, logs, named] = [0, 0, 0, 0];
  for (const [index, operation] of operations.entries()) {
    disk.take(operation);
    const until = operations[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const told = acknowledged.findLast(({ at }) => at <= until);
    const ways: readonly [() => boolean, () => number][] = disk.dirty ? [[() => false, () => 1], [() => chance() < 0.6, () => (chance() < 0.5 ? chance() : 1)]] : [[() => true, () => 1]];
    for (const [survives, torn] of ways) {
      disk.lay(cut, survives, torn);
      cuts += 1;
      lossy += disk.dirty ? 1 : 0;
      named = Math.max(named, namedInDepot(cut, index));
      const findings = await open(cut, cuts % 40 === 0 || until === Number.POSITIVE_INFINITY);
      assert.deepEqual(findings, [], `after operation ${index}`);
      if (cuts % LOG_EVERY === 0 && (await goesOn(cut, signers, told?.checkpoint))) logs += 1;
      if (told === undefined) continue;
      const there = rowsIn(join(cut, "portal.db"));
      assert.deepEqual([...told.rows].filter(([name, value]) => there.rows.get(name) !== value).map(([name]) => name), [], `acknowledged and lost after operation ${index}`);
      assert.ok(there.revision >= told.revision);
    }
  }
  t.diagnostic(`${operations.length} writes and syncs, ${cuts} power cuts, ${lossy} of them with something to lose; ${acknowledged.length} commands acknowledged; ${logs} times the log went on; ${named} files named in the depot`);
  assert.ok(logs > cuts / LOG_EVERY / 2 && acknowledged.at(-1)?.checkpoint !== undefined);
  assert.ok(operations.some((one) => one.kind === "sync") && lossy > 100 && named > 0 && acknowledged.at(-1)?.rows.size !== 0);

  // And the whole program on the last of them, with the other files of the portal.
  cpSync(folder, join(place.folder, "again"), { recursive: true, filter: (path) => !/portal\.db|depot\/.\//.test(path) });
  writeFileSync(join(place.folder, "again", "portal.json"), readFileSync(join(folder, "portal.json"), "utf8").replace(`${folder}/depot`, join(place.folder, "again", "depot")));
  cpSync(cut, join(place.folder, "again"), { recursive: true });
  await openPortalData(join(place.folder, "again"));
  expectStatus(await place.mesh("operator", ["portal", "check", "--data", join(place.folder, "again")]), 0);
});

test("power cuts while several write at once and a thread of its own makes their commits durable: all that was acknowledged is there, and nothing in part", { timeout: 300_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const folder = realpathSync(place.folder);
  const out = join(folder, "trace");
  const line = ["strace", ...recording(out), process.execPath, join(root, "test/support/busy-writer.ts"), join(folder, "busy.db"), join(folder, "notes")].map((word) => `'${word}'`).join(" ");
  expectStatus(await place.shell("desktop", line), 0);
  const operations = operationsIn(out, folder, /^(?:busy\.db(?:-wal)?|notes)$/);
  const main = operations.find((one) => one.kind === "write" && one.name === "busy.db-wal")?.by;
  const elsewhere = (kind: string, name: string): number => operations.filter((one) => one.kind === kind && "name" in one && one.name === name && one.by !== main).length;
  const disk = new CachedDisk();
  const chance = seeded(7);
  const cut = scratch(t, folder);
  const told = new Set<string>();
  let [cuts, lossy] = [0, 0];
  for (const [index, operation] of operations.entries()) {
    if ("name" in operation && operation.name === "notes") {
      if (operation.kind === "write") told.add(Buffer.from(operation.octets).toString().trim());
      continue;
    }
    disk.take(operation);
    // Every moment at which something was synced or told, and some of the others.
    if (operation.kind === "write" && index % 4 !== 0) continue;
    for (const survives of disk.dirty ? [() => false, () => chance() < 0.6] : [() => true]) {
      disk.lay(cut, survives, () => (chance() < 0.5 ? chance() : 1));
      cuts += 1;
      lossy += disk.dirty ? 1 : 0;
      const there = existsSync(join(cut, "busy.db")) ? await writtenIn(join(cut, "busy.db")) : new Map<string, string>();
      assert.deepEqual([...told].filter((key) => there.get(key) !== key.repeat(50)), [], `acknowledged and lost after operation ${index}`);
    }
  }
  t.diagnostic(`${operations.length} writes and syncs, ${cuts} power cuts, ${lossy} of them with something to lose; ${told.size} writes acknowledged; the thread synced the log ${elsewhere("sync", "busy.db-wal")} times and the database ${elsewhere("sync", "busy.db")} times`);
  assert.ok(told.size === 120 && lossy > 50 && elsewhere("sync", "busy.db-wal") > 10 && elsewhere("write", "busy.db") > 0);
});

async function writtenIn(path: string): Promise<ReadonlyMap<string, string>> {
  const store = await openSqliteStore(path);
  try {
    return new Map((await store.read((r) => r.list("written", ""))).map(({ key, value }) => [key, Buffer.from(value).toString()]));
  } finally {
    await store.close();
  }
}

test("power cuts on a device: its home opens, and holds what each command left there when it ended", { timeout: 300_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  const home = place.home("desktop");
  const folder = join(realpathSync(place.folder), "desktop");
  const disk = new CachedDisk();
  const chance = seeded(5);
  const cut = scratch(t, place.folder);
  let cuts = 0;
  const commands = [["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"], ["password", "add", "one", "--generate"], ["password", "add", "two", "--generate"], ["sync"]];
  for (const [number, args] of commands.entries()) {
    const out = join(place.folder, `trace-${number}`);
    const line = ["strace", ...recording(out), join(root, "mesh"), ...args].map((word) => `'${word}'`).join(" ");
    expectStatus(await place.shell("desktop", line), 0);
    const operations = operationsIn(out, folder, /^home\.db(?:-wal)?$/);
    for (const [index, operation] of operations.entries()) {
      disk.take(operation);
      for (const survives of disk.dirty && index % 3 !== 1 ? [() => false, () => chance() < 0.5] : [() => chance() < 0.9]) {
        disk.lay(cut, survives, () => (chance() < 0.5 ? 1 : chance()));
        cuts += 1;
        // Before its first sync there is no home yet, and no command said so.
        if (!existsSync(join(cut, "home.db"))) continue;
        await (await openSqliteStore(join(cut, "home.db"))).close();
        if (index === operations.length - 1) assert.deepEqual(allRowsIn(join(cut, "home.db")), allRowsIn(join(home, "home.db")), `mesh ${args.join(" ")}`);
      }
    }
    assert.ok(existsSync(join(cut, "home.db")));
  }
  t.diagnostic(`${cuts} power cuts`);
  assert.ok(cuts > 60);
});

function allRowsIn(path: string): readonly unknown[] {
  using database = new DatabaseSync(path, { timeout: 1000 });
  return database.prepare("SELECT shelf, key, hex(value) AS value FROM entry ORDER BY shelf, key").all().map((row) => ({ ...row }));
}

/** A folder in memory where there is such a place: what is opened there needs no disk, only its octets. */
function scratch(t: TestContext, folder: string): string {
  const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : folder, "mesh-cut-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Every name in the database must be that of a whole file: of what is durable and of what may be; returns how many there are. */
function namedInDepot(folder: string, index: number): number {
  using database = new DatabaseSync(join(folder, "portal.db"), { timeout: 1000 });
  const made = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'entry'").get() !== undefined;
  const names = made ? database.prepare("SELECT CAST(value AS TEXT) AS name FROM entry WHERE shelf IN ('blobs', 'tiles')").all().map((row) => String(row["name"])) : [];
  for (const name of names) assert.equal(sha512Text(readFileSync(join(folder, "depot", name.slice(0, 1), name))), name, `after operation ${index}`);
  return names.length;
}

/** What a portal keeps, opened as it does. */
async function openKept(folder: string): Promise<Store> {
  return withDepot(await openSqliteStore(join(folder, "portal.db")), openDirectoryDepot(join(folder, "depot"), { changing: false }), OUTSIDE);
}

/**
 * Opens the log as a portal does: tree, map and head must agree, or nothing is signed (`store-damaged`); what was shown before the cut must be a beginning of it, and what it says of
 * every mesh the newest that is kept. False where there is none yet.
 */
async function goesOn(folder: string, { note, origin, subtree }: LogSigners, shown: string | undefined): Promise<boolean> {
  const store = await openKept(folder);
  try {
    const keeper = await LogKeeper.open({ now: () => Date.now(), origin, signers: [note, subtree], standingOf, store });
    await keeper.close();
    if (keeper.checkpoint === undefined) return false;
    const [replay, now] = [new Replay(), readCheckpoint(readNote(keeper.checkpoint).text)];
    await replay.take(await store.read((r) => r.leaves(0)));
    assert.ok(replay.agrees(now));
    if (shown !== undefined) {
      const { root: before, size } = readCheckpoint(readNote(utf8(shown)).text);
      assert.deepEqual(await store.read((r) => rootAt(tilesIn(r), size)), before, `what the log had shown at ${size} is no beginning of what it is`);
    }
    for (const { key } of await store.read((r) => r.list(shelf.meshes, ""))) {
      const kept = await store.read((r) => loadWhole(r, key as MasterId));
      assert.equal(toBase64url((await replay.newest("personal", key))?.digest ?? new Uint8Array(0)), kept?.history.at(-1)?.profile.digest);
    }
    return true;
  } finally {
    await store.close();
  }
}

/** Opens the database as a portal does, and on request judges everything in it. */
async function open(folder: string, judge: boolean): Promise<readonly string[]> {
  const store = await openKept(folder);
  try {
    const findings: Finding[] = [];
    if (judge) await store.read((r) => check(r, Date.now(), (finding) => findings.push(finding)));
    return findings.map(({ what, where, why }) => `${what} ${where} ${why}`);
  } finally {
    await store.close();
  }
}
