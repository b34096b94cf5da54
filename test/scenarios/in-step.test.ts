import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { expectStatus, openPlace, type Place, type PortalProcess, type Ran } from "../support/processes.ts";

const withAgent = { MESH_NO_AGENT: "" };

type Status = { readonly agent: { readonly inStep: string | null } | null; readonly unsent: number; readonly warnings: readonly string[] };

// Real processes: a desktop, and a laptop whose agent keeps it in step.
describe("a device whose agent is unlocked", { concurrency: false, timeout: 240_000 }, () => {
  let place: Place;
  let portal: PortalProcess;
  const desktop = (...args: readonly string[]): Promise<Ran> => place.mesh("desktop", args);
  const laptop = (...args: readonly string[]): Promise<Ran> => place.mesh("laptop", args, withAgent);
  const status = async (): Promise<Status> => JSON.parse(expectStatus(await laptop("status", "--json"), 0).stdout) as Status;
  const until = async (holds: () => Promise<boolean>, what: string, ms = 60_000): Promise<void> => {
    const started = performance.now();
    for (; !(await holds()); await sleep(50)) assert.ok(performance.now() - started < ms, what);
  };
  const told = (): Promise<void> => until(async () => (await status()).agent?.inStep === "told", "the agent is told of changes");
  const lists = async (name: string): Promise<boolean> => (await laptop("password", "list")).stdout.includes(name);

  /** The mesh changes all the time, for a minute. */
  const changing = async (over: AbortSignal): Promise<undefined> => {
    for (let saved = 0; saved < 100 && !over.aborted; saved++) {
      expectStatus(await desktop("password", "add", `busy-${saved}`, "--generate"), 0);
      await sleep(500);
    }
  };

  before(async () => {
    place = openPlace();
    portal = await place.portal();
    const on = ["--portal", portal.url, "--no-passphrase"];
    const { fingerprint } = await place.json<{ fingerprint: string }>("desktop", ["create", "alice@example.com", "--device-name", "desktop", ...on]);
    const joining = await place.mesh("laptop", ["join", `alice@example.com#${fingerprint}`, "--device-name", "laptop", "--json", ...on]);
    const { words } = JSON.parse(expectStatus(joining, 5).stdout) as { readonly words: string };
    expectStatus(await desktop("device", "accept", words), 0);
    expectStatus(await place.mesh("laptop", ["join", "alice@example.com"]), 0);
    expectStatus(await laptop("unlock"), 0);
    await told();
  });
  after(async () => {
    await laptop("lock");
    await place.close();
  });

  test("shows what another one saved, without a sync; status says why", async () => {
    expectStatus(await desktop("password", "add", "github", "--generate"), 0);
    await until(() => lists("github"), "the change arrives", 10_000);
    assert.match((await laptop("status")).stdout, /synced +just now, kept in step by the agent/);
  });

  test("sends what was saved while the portal was away, once it is back, and is told again", async () => {
    await portal.stop("SIGKILL");
    expectStatus(await laptop("password", "add", "offline", "--generate"), 0);
    assert.equal((await status()).unsent > 0, true);
    await portal.start();
    await told();
    await until(async () => (await status()).unsent === 0, "it is sent");
    expectStatus(await desktop("sync"), 0);
    assert.match((await desktop("password", "list")).stdout, /offline/);
  });

  test("is locked in time all the same: what it does of itself is no use of it", async () => {
    expectStatus(await laptop("lock"), 0);
    const agent = place.start("laptop", ["agent", "--lock-after", "6s"], withAgent);
    const over = new AbortController();
    const busy = changing(over.signal);
    const ended = await Promise.race([agent.ended, busy]);
    over.abort();
    await busy;
    assert.match(ended?.stderr ?? "it did not lock, though it was not used", /since it was not used/);
  });

  test("keeps the alarm of a portal that went back, for the next command and for status, until its owner synced herself", async () => {
    await portal.stop();
    const older = `${portal.directory}-older`;
    cpSync(portal.directory, older, { recursive: true });
    await portal.start();
    expectStatus(await laptop("unlock"), 0);
    await told();
    expectStatus(await desktop("password", "add", "taken back", "--generate"), 0);
    await until(() => lists("taken back"), "the change arrives");
    await portal.stop();
    cpSync(portal.directory, `${portal.directory}-newer`, { recursive: true });
    rmSync(portal.directory, { recursive: true });
    cpSync(older, portal.directory, { recursive: true });
    await portal.start();
    await until(async () => (await status()).warnings.some((warning) => /while this device was kept in step/.test(warning)), "the alarm is kept");
    const next = await laptop("password", "get", "github");
    assert.deepEqual([next.status, /while this device was kept in step: .*portal-.*mesh sync/.test(next.stderr)], [0, true], next.stderr);
    assert.equal((await laptop("sync")).status, 6);
    await portal.stop();
    rmSync(portal.directory, { recursive: true });
    cpSync(`${portal.directory}-newer`, portal.directory, { recursive: true });
    await portal.start();
    assert.match(expectStatus(await laptop("sync"), 0).stderr, /while this device was kept in step/);
    assert.equal((await laptop("password", "get", "github")).stderr, "");
  });
});
