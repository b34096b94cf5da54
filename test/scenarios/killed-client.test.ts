import assert from "node:assert/strict";
import { test } from "node:test";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change, current } from "../../src/catalogs/merge.ts";
import { catalogOf, editEntries, readEntries } from "../../src/client/catalog.ts";
import { listDevices } from "../../src/client/devices.ts";
import { loadCatalog } from "../../src/client/known.ts";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { createMesh } from "../../src/client/operations/create.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { confirmJoin, joinMesh } from "../../src/client/operations/join.ts";
import { sync } from "../../src/client/sync.ts";
import type { Client } from "../../src/client/client.ts";
import { isLong } from "../support/long.ts";
import { type Fuse, killedAtEveryStep, type Life, newFiles } from "../support/mortal.ts";

const address = "alice@example.com";

/** Where many steps are killed at, `npm test` takes every third: an odd stride falls before and after what lasts in turn. `npm run test:long` takes all. */
const STRIDE = isLong ? 1 : 3;

const at = (life: Life) => ({ url: life.url, pin: life.pin });

async function create(life: Life, fuse?: Fuse): Promise<void> {
  const { client, master } = await life.device("desktop", fuse);
  await createMesh(client, master, { address, portal: at(life), deviceName: "desktop" });
}

async function names(client: Client): Promise<readonly string[]> {
  return (await readEntries(client, "passwords")).map((entry) => String(current(entry, "name"))).sort();
}

async function unsent(client: Client, type: "devices"): Promise<readonly object[]> {
  return client.rows.read(async (rows) => (await rows.list<object>("journal", await catalogOf(rows, type))).map(({ row }) => row));
}

async function chainOf(client: Client): Promise<number | undefined> {
  return client.rows.read(async (rows) => (await loadCatalog(rows, await catalogOf(rows, "passwords")))?.chain.index);
}

async function devices(life: Life, who = "desktop"): Promise<readonly string[]> {
  return (await listDevices((await life.device(who)).client)).map(({ name, status }) => `${name} ${status}`).sort();
}

test("`create` killed after any of its steps is run again and makes one mesh", async (t) => {
  const empty = await newFiles();
  const hits = await killedAtEveryStep(empty, "create", create, async (life) => {
    await create(life).catch((error: unknown) => {
      // It was over: a home that has its mesh makes no second one.
      assert.equal((error as { code?: string }).code, "home-exists");
    });
    const { client } = await life.device("desktop");
    await sync(client);
    assert.deepEqual(await devices(life), ["desktop active"]);
  }, STRIDE);
  t.diagnostic(`${hits} hits`);
  assert.ok(hits >= 10, String(hits));
  empty.remove();
});

test("an edit is lost at no step once it is acknowledged, and sent once however often it is retried", async (t) => {
  const files = await newFiles();
  const life = await files.open();
  await create(life);
  const first = await chainOf((await life.device("desktop")).client);
  await life.close();
  const save = async (next: Life, fuse?: Fuse): Promise<void> => {
    const { client } = await next.device("desktop", fuse);
    await editEntries(client, "passwords", (entries) => (entries.length > 0 ? [] : [change(newEntryId(), undefined, { name: "github", password: "one" })]));
    await sync(client);
  };
  const hits = await killedAtEveryStep(files, "sync", save, async (next, steps) => {
    await save(next);
    const { client } = await next.device("desktop");
    assert.deepEqual(await names(client), ["github"]);
    assert.equal(await chainOf(client), (first ?? 0) + 1, `after ${steps} steps: one commit holds it`);
  });
  t.diagnostic(`${hits} hits`);
  assert.ok(hits >= 8, String(hits));
  files.remove();
});

test("`device accept` and `join` killed after any of their steps are run again and let one device in, once", { timeout: isLong ? 1_800_000 : 240_000 }, async (t) => {
  const files = await newFiles();
  const life = await files.open();
  await create(life);
  const asked = await joinMesh((await life.device("laptop")).client, { address, portal: at(life), deviceName: "laptop" });
  await life.close();
  const accept = async (next: Life, fuse?: Fuse) => acceptConnection((await next.device("desktop", fuse)).client, asked.witness, "member");
  const join = async (next: Life, answer: string, fuse?: Fuse) => {
    const { client } = await next.device("laptop", fuse);
    await confirmJoin(client, answer.split(" "));
    return joinMesh(client, { address, portal: at(next), deviceName: "laptop" });
  };
  const accepting = await killedAtEveryStep(files, "accept", accept, async (next, steps) => {
    const { answer, name } = await accept(next);
    assert.equal(name, "laptop");
    const { client } = await next.device("desktop");
    assert.deepEqual(await unsent(client, "devices"), [], `after ${steps} steps: whoever is told that it is in finds its name sent`);
    await sync(client);
    assert.deepEqual(await devices(next), ["desktop active", "laptop active"]);
    if (steps % (10 * STRIDE) !== 0) return;
    assert.equal((await accept(next)).answer, answer);
    assert.equal((await join(next, answer)).status, "connected");
  }, STRIDE);

  const accepted = await files.open();
  const { answer } = await accept(accepted);
  await accepted.close();
  const joining = await killedAtEveryStep(files, "join", (next, fuse) => join(next, answer, fuse), async (next) => {
    assert.equal((await join(next, answer)).status, "connected");
    await sync((await next.device("laptop")).client);
    assert.deepEqual(await devices(next, "laptop"), ["desktop active", "laptop active"]);
    // Deriving words is dear by design: every fifth step, which is before and after in turn too.
  }, isLong ? 1 : 5);
  t.diagnostic(`${accepting} hits accepting, ${joining} joining`);
  assert.ok(accepting >= 10 && joining >= 6);
  files.remove();
});

test("`device disable` killed after any of its steps is finished by another device, and the one cut off reads nothing new", { timeout: isLong ? 1_800_000 : 240_000 }, async (t) => {
  const files = await newFiles();
  const life = await files.open();
  await create(life);
  for (const name of ["laptop", "tablet"]) {
    const { client } = await life.device(name);
    const options = { address, portal: at(life), deviceName: name };
    const { words } = await joinMesh(client, options);
    await confirmJoin(client, (await acceptConnection((await life.device("desktop")).client, words, "member")).answer.split(" "));
    assert.equal((await joinMesh(client, options)).status, "connected");
  }
  await life.close();
  const disable = async (next: Life, fuse: Fuse) => disableDevice((await next.device("desktop", fuse)).client, "laptop");
  const hits = await killedAtEveryStep(files, "disable", disable, async (next, steps) => {
    const tablet = (await next.device("tablet")).client;
    await sync(tablet);
    const gone = (await devices(next, "tablet")).includes("laptop disabled");
    if (gone) {
      await editEntries(tablet, "passwords", () => [change(newEntryId(), undefined, { name: "new", password: "two" })]);
      await sync(tablet);
      await assert.rejects(sync((await next.device("laptop")).client), { code: "device-disabled" });
      const { mesh, row } = await tablet.rows.read(async (rows) => ({ mesh: await catalogOf(rows, "passwords"), row: await loadCatalog(rows, await catalogOf(rows, "passwords")) }));
      assert.equal(row?.chain.epoch !== undefined && row.chain.epoch > 1, true, `the catalog ${mesh} has a new epoch`);
    }
    // The desktop comes back, and the outcome is one and the same.
    const desktop = (await next.device("desktop")).client;
    await sync(desktop);
    const last = (await devices(next)).includes("laptop disabled") ? undefined : await disableDevice(desktop, "laptop");
    assert.ok(gone ? last === undefined : true, `after ${steps} steps`);
    assert.deepEqual(await devices(next), ["desktop active", "laptop disabled", "tablet active"]);
  }, STRIDE);
  t.diagnostic(`${hits} hits`);
  assert.ok(hits >= 8, String(hits));
  files.remove();
});

test("`device leave` killed after any of its steps is run again, erases every key, and another device finishes what it obliges to", { timeout: isLong ? 1_800_000 : 240_000 }, async (t) => {
  const files = await newFiles();
  const life = await files.open();
  await create(life);
  const options = { address, portal: at(life), deviceName: "laptop" };
  const laptop = (await life.device("laptop")).client;
  const { words } = await joinMesh(laptop, options);
  await confirmJoin(laptop, (await acceptConnection((await life.device("desktop")).client, words, "member")).answer.split(" "));
  assert.equal((await joinMesh(laptop, options)).status, "connected");
  await life.close();
  const hits = await killedAtEveryStep(files, "leave", async (next, fuse) => leaveMesh((await next.device("laptop", fuse)).client), async (next, steps) => {
    const { client } = await next.device("laptop");
    const gone = (await client.keyring.list()).length === 0;
    if (gone) await assert.rejects(leaveMesh(client), { code: "device-not-connected" });
    else assert.match((await leaveMesh(client)).done.join(), /its keys are erased/, `after ${steps} steps`);
    assert.deepEqual(await client.keyring.list(), []);
    const desktop = (await next.device("desktop")).client;
    await sync(desktop);
    assert.deepEqual(await devices(next), ["desktop active", "laptop suspended"]);
  });
  t.diagnostic(`${hits} hits`);
  assert.ok(hits >= 8, String(hits));
  files.remove();
});
