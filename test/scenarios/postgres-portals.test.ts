import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPortalData } from "../../src/cli/portal/data.ts";
import { makeClient } from "../../src/client/client.ts";
import { sync } from "../../src/client/sync.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import { readCheckpoint } from "../../src/notary/checkpoint.ts";
import { readNote } from "../../src/notary/note.ts";
import { logPrefix } from "../../src/notary/log-policy.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { OUTSIDE } from "../../src/cli/portal/store.ts";
import { standBack } from "../../src/cli/stand-back.ts";
import { openDirectoryDepot } from "../../src/store/directory-depot.ts";
import { openPostgresStore } from "../../src/store/postgres.ts";
import { withDepot } from "../../src/store/with-depot.ts";
import { household, keep, names } from "../adversary/household.ts";
import { openCluster, withoutPostgres } from "../support/cluster.ts";
import { judgeLog } from "../support/log-judge.ts";
import { cases } from "../support/long.ts";
import { hopping, insisting, type Portals, startPortals, strike } from "../support/portals.ts";
import { openPlace } from "../support/processes.ts";
import { Publisher } from "../support/publisher.ts";
import { openUnguarded } from "../support/unguarded.ts";
import type { TestDevice, TestPortal } from "../support/world.ts";

const UPDATES = cases(96, 100_000);
/** Enough that those whose process stands still do not hold up all. */
const PUBLISHERS = UPDATES > 1000 ? 128 : 8;
/** More logins would measure the client. */
const LOGINS = 200;

describe("one portal of four processes on one PostgreSQL and one depot", { skip: withoutPostgres }, () => {
  test(`stopped and killed at random, they take ${UPDATES} updates: one log without fork, gap or duplicate, every receipt honoured, no device alarmed, nothing lost`, { timeout: 7_200_000 }, async (t) => {
    const cluster = await openCluster();
    t.after(() => cluster.close());
    const { open, portals, publishers, signers, way } = await begin(t, cluster.url, PUBLISHERS);
    const { desktop, devices } = await household({ tablet: "member" }, { pin: portals.pin, url: `https://127.0.0.1:${portals.ports[0]}` } as TestPortal, () => deviceAt(portals));
    const tablet = devices["tablet"] ?? assert.fail();

    const [over, seen] = [new AbortController(), [] as Uint8Array[]];
    const striking = strike(portals, over.signal);
    let left = UPDATES;
    const publishing = publishers.map(async (one) => {
      while (left-- > 0 && !over.signal.aborted) await one.publish();
    });
    let saved = 0;
    const living = [desktop, tablet].map(async (device, at) => {
      for (let n = 0; !over.signal.aborted; n++) {
        if (n < LOGINS) {
          await keep(device, `${at}-${n}`);
          saved += 1;
        }
        await insisting(() => sync(device.client));
        await sleep(50);
      }
    });
    const watching = (async () => {
      for (let size = 0; !over.signal.aborted; await sleep(25)) {
        const { body, status } = await insisting(() => way.get(`${logPrefix(signers.origin)}checkpoint`, {}));
        if (status !== 200) continue;
        const checkpoint = readCheckpoint(readNote(Buffer.from(body)).text);
        assert.ok(checkpoint.size >= size, `a checkpoint of ${checkpoint.size} entries was served after one of ${size}`);
        if (checkpoint.size > size) seen.push(body);
        size = checkpoint.size;
      }
    })();
    // Whoever finds something wrong ends it for all.
    const all = [Promise.all(publishing).finally(() => over.abort()), ...living, watching];
    await Promise.all(all).finally(() => over.abort());
    const { stopped, killed } = await striking;
    for (const { client } of [desktop, tablet, desktop]) await insisting(() => sync(client));
    for (const one of portals.processes) await one.stop(one === portals.processes[0] ? "SIGTERM" : "SIGKILL");

    const store = await open(cluster.url);
    t.after(() => store.close());
    const promised = publishers.flatMap((one) => one.promised);
    const { replay, size } = await judgeLog(store, signers, promised, seen);
    assert.equal(await cluster.ask("SELECT count(*) || ' ' || min(number) || ' ' || max(number) + 1 FROM mesh.log"), `${size} 0 ${size}`);
    assert.equal(promised.length, UPDATES);
    for (const one of publishers) assert.equal((await replay.newest("personal", one.id))?.n, one.newest);
    for (const device of [desktop, tablet]) {
      assert.equal((await names(device)).length, saved);
      assert.deepEqual(device.evidence, []);
    }
    t.diagnostic(`${promised.length} updates and ${saved} logins in ${size} entries, ${seen.length} checkpoints seen; ${stopped} times a process was stopped, ${killed} times killed`);
    assert.ok(stopped + killed > 0);
  });

  test("the same where commits are not compared goes wrong, and is found out by what was promised", { timeout: 120_000 }, async (t) => {
    const cluster = await openCluster();
    const unguarded = await openUnguarded(cluster);
    t.after(async () => (await unguarded.close(), cluster.close()));
    const { open, portals, publishers, signers } = await begin(t, unguarded.url, 8);
    unguarded.loosen();
    // Until a portal has tangled itself so that it refuses.
    const ended = await Promise.allSettled(publishers.map(async (one) => {
      for (let n = 0; n < 15; n++) await one.publish();
    }));
    // The first is let end as it likes, as above: a log in order is closed then to its end.
    for (const one of portals.processes) await one.stop(one === portals.processes[0] ? "SIGTERM" : "SIGKILL");
    const store = await open(cluster.url);
    t.after(() => store.close());
    const promised = publishers.flatMap((one) => one.promised);
    t.diagnostic(`${promised.length} updates promised, ${unguarded.changed()} changes on the way, ${ended.filter(({ status }) => status === "rejected").length} of 8 refused in the end`);
    await assert.rejects(judgeLog(store, signers, promised, []), ({ code, message }: Error & { readonly code?: string }) => {
      t.diagnostic(`${code}: ${message}`);
      return code?.startsWith("portal-") === true || (code === "ERR_ASSERTION" && message.startsWith("a receipt "));
    });
  });
});

/** Starts a portal's processes where they think that the database is, with publishers of their own. */
async function begin(t: TestContext, url: string, count: number) {
  const place = openPlace();
  t.after(() => place.close());
  const depot = place.home("depot");
  const portals = await startPortals(place, { url }, 4, depot);
  t.after(() => {
    for (const { said } of portals.processes) if (!t.passed) t.diagnostic(said().slice(-2000));
  });
  const { identity, log } = await openPortalData(portals.directory);
  const way = hopping(portals, "any");
  t.after(() => way.close());
  const { payload: profile } = identity.profile;
  const publishers: Publisher[] = [];
  // Some at a time: nobody asks a portal again for an account here.
  while (publishers.length < count) publishers.push(...(await Promise.all(Array.from({ length: 4 }, (_, at) => Publisher.make(way, profile, `publisher${publishers.length + at}`)))));
  const open = async (from: string) => withDepot(await openPostgresStore(from, { owner: profile.id }), openDirectoryDepot(depot), OUTSIDE);
  return { open, portals, publishers, signers: log ?? assert.fail(), way };
}

/** A device each of whose requests goes to another process. */
function deviceAt(portals: Portals): TestDevice {
  const [keyring, master, store, evidence] = [openMemoryKeyring(), openMemoryKeyring(), openMemoryStore(), [] as Uint8Array[]];
  const client = makeClient({
    store,
    keyring,
    now: Date.now,
    standBack,
    connect: (_, trust) => hopping(portals, trust),
    masterKeyring: async () => master,
    keepEvidence: async (octets) => `number ${evidence.push(octets)}`,
  });
  return { client, keyring, master, store, portal: { pin: portals.pin } as TestPortal, evidence };
}
