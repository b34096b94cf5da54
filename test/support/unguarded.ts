import { rmSync, mkdtempSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";

/** A way to a server of PostgreSQL on which commits lose their comparison, and processes their turns. */
export type Unguarded = { readonly url: string; /** Begins to take them out; it stays in on connections whose commit went by before, so these end. */ loosen(): void; /** How often something was changed on its way. */ readonly changed: () => number; close(): Promise<void> };

/**
 * What is taken out, as the store has it, and what says as much as nothing in as many octets: the frame around it stays true.
 *
 * The comparison of `commitStatement`, and the turns that processes take: who writes by turns seldom writes at once, and what a comparison is good for would not show.
 */
const TAKEN_OUT = [
  ["WHERE version = $1::bigint ", "WHERE $1::bigint > -1      "],
  ["pg_catalog.pg_advisory_lock(", "pg_advisory_lock_shared    ("],
  ["pg_catalog.pg_advisory_unlock(", "pg_advisory_unlock_shared    ("],
].map(([guard = "", nothing = ""]) => ({ guard: Buffer.from(guard), nothing: Buffer.from(nothing) }));

/** Opens a relay to a server that takes out what keeps writers apart: so tests play what the program as it is would do without it, and see that they find out. */
export async function openUnguarded({ socket }: Pick<Cluster, "socket">): Promise<Unguarded> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-pg-unguarded-"));
  const sockets = new Set<Socket>();
  let [changed, loose] = [0, false];
  const server = createServer((client) => {
    const database = createConnection(join(socket, ".s.PGSQL.5432"));
    for (const one of [client, database]) {
      sockets.add(one);
      one.on("close", () => sockets.delete(one));
      one.on("error", () => undefined);
    }
    client.on("close", () => database.destroy());
    database.on("close", () => client.destroy());
    let rest: Buffer = Buffer.alloc(0);
    client.on("data", (octets: Buffer) => {
      if (!loose) return void database.write(octets);
      const all = Buffer.concat([rest, octets]);
      for (const { guard, nothing } of TAKEN_OUT) {
        for (let at = all.indexOf(guard); at >= 0; at = all.indexOf(guard, at)) {
          nothing.copy(all, at);
          changed += 1;
        }
      }
      // What may be the beginning of one waits for what follows.
      const kept = Math.max(...TAKEN_OUT.map(({ guard }) => begun(guard, all)));
      rest = all.subarray(all.length - kept);
      database.write(all.subarray(0, all.length - kept));
    });
    database.pipe(client);
  });
  await new Promise<void>((done) => server.listen(join(folder, ".s.PGSQL.5432"), done));
  return {
    url: `postgres:///postgres?host=${encodeURIComponent(folder)}&user=mesh`,
    loosen: () => {
      loose = true;
      for (const one of sockets) one.destroy();
    },
    changed: () => changed,
    close: () =>
      new Promise((done) => {
        for (const one of sockets) one.destroy();
        server.close(() => (rmSync(folder, { recursive: true, force: true }), done()));
      }),
  };
}

/** How many octets at the end of all are the beginning of a text that is not there whole. */
function begun(text: Buffer, all: Buffer): number {
  let octets = Math.min(text.length - 1, all.length);
  while (octets > 0 && !text.subarray(0, octets).equals(all.subarray(all.length - octets))) octets--;
  return octets;
}
