import assert from "node:assert/strict";
import { describe, suite, test, type TestContext } from "node:test";

import { standBack } from "../../src/cli/stand-back.ts";
import { makeClient } from "../../src/client/client.ts";
import { meetPortal, type Told } from "../../src/client/portal-link.ts";
import { openConnection } from "../../src/http/call.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { deviceOf, household, save, whoIs } from "../adversary/household.ts";
import { openCluster, withoutPostgres } from "../support/cluster.ts";
import { startPortals } from "../support/portals.ts";
import { openPlace } from "../support/processes.ts";
import type { TestDevice, TestPortal } from "../support/world.ts";

/** A device in this process, and the port of the portal's process that it asks. */
function deviceAt(port: number): TestDevice {
  const [keyring, master, store] = [openMemoryKeyring(), openMemoryKeyring(), openMemoryStore()];
  const client = makeClient({ store, keyring, now: Date.now, connect: (_, trust) => openConnection(`https://127.0.0.1:${port}`, { trust }), standBack, masterKeyring: async () => master });
  return { client, keyring, master, store, portal: {} as TestPortal, evidence: [] };
}

/** What a device is told, one after the other; undefined at the end. */
async function heardBy(t: TestContext, device: TestDevice): Promise<() => Promise<Told | undefined>> {
  const self = await whoIs(device);
  const link = await meetPortal(device.client, self.portal.url, self.portal.id);
  t.after(() => link.close());
  const told = link.watch({ device: self.device, master: self.master, authenticationKey: self.authenticationKey }, { firstMs: 10_000, silenceMs: 60_000 });
  return async () => (await told.next()).value ?? undefined;
}

suite("a portal that is watched", { timeout: 60_000 }, () => {
  test("tells a change over TLS, and ends at once when it is told to", async (t) => {
    const place = openPlace();
    t.after(() => place.close());
    const portal = await place.portal();
    const alice = await household({ laptop: "member" }, { pin: portal.pin, url: `https://127.0.0.1:${portal.port}` } as TestPortal, () => deviceAt(portal.port));
    const next = await heardBy(t, deviceOf(alice, "laptop"));
    const first = await next();
    assert.equal(first?.retry, 1000);
    const later = next();
    await save(alice.desktop, "one");
    assert.ok(((await later)?.revision ?? 0) > (first?.revision ?? Infinity));
    const last = next();
    const started = performance.now();
    await portal.stop("SIGTERM");
    // A grace of 10 seconds is for what cannot be ended.
    assert.ok(performance.now() - started < 5_000);
    assert.equal(await last, undefined);
  });
});

describe("a portal of two processes on one PostgreSQL that is watched", { skip: withoutPostgres, timeout: 120_000 }, () => {
  test("tells by one what the other took, also once the server was away", async (t) => {
    const cluster = await openCluster();
    t.after(() => cluster.close());
    const place = openPlace();
    t.after(() => place.close());
    const { pin, ports } = await startPortals(place, cluster, 2);
    const [one = 0, other = 0] = ports;
    const alice = await household({ laptop: "member" }, { pin, url: `https://127.0.0.1:${one}` } as TestPortal, (name) => deviceAt(name === "laptop" ? other : one));
    const next = await heardBy(t, deviceOf(alice, "laptop"));
    let known = (await next())?.revision ?? assert.fail();
    const told = async (): Promise<void> => {
      const { revision = 0 } = (await next()) ?? assert.fail();
      if (revision === known) return told();
      assert.ok(revision > known);
      known = revision;
    };
    const [hears] = await Promise.all([told(), save(alice.desktop, "one")]);
    assert.equal(hears, undefined);
    await cluster.stop("crash");
    await cluster.start();
    for (const name of ["two", "three"]) await Promise.all([told(), save(alice.desktop, name)]);
  });
});
