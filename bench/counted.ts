import { join } from "node:path";
import { standBack } from "../src/cli/stand-back.ts";
import { type Client, makeClient, selfOf } from "../src/client/client.ts";
import { type Connection, openConnection } from "../src/http/call.ts";
import { openKeyringFile } from "../src/keyring/file.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import type { Place } from "../test/support/processes.ts";

/** Octets of HTTP, heads and bodies, inside TLS. */
export type Octets = { readonly up: number; readonly down: number };

/** Opens a device's home as a command does, and counts what its connections move; `forget` takes its stored session away first. */
export async function counted(place: Place, device: string, forget: boolean, work: (client: Client) => Promise<void>): Promise<Octets> {
  const home = place.home(device);
  const [store, keyring] = [await openSqliteStore(join(home, "home.db")), await openKeyringFile(join(home, "keyring.json"), undefined)];
  const connections: Connection[] = [];
  const client = makeClient({
    store,
    keyring,
    now: Date.now,
    standBack,
    connect: (url, trust) => {
      const connection = openConnection(url, { trust });
      connections.push(connection);
      return connection;
    },
  });
  try {
    if (forget) {
      const { device } = await selfOf(client);
      await client.rows.transact((rows) => rows.remove("sessions", device, ""));
    }
    await work(client);
    return { up: connections.reduce((sum, one) => sum + one.counters.sent, 0), down: connections.reduce((sum, one) => sum + one.counters.received, 0) };
  } finally {
    for (const connection of connections) connection.close();
    keyring.close();
    await store.close();
  }
}
