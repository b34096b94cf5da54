import { rmSync, mkdtempSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";

/** A way to a server of PostgreSQL on which the commit loses its comparison. */
export type Unguarded = { readonly url: string; /** Begins to take the comparison out; it stays in on connections whose commit went by before, so these end. */ loosen(): void; /** How often a commit was changed on its way. */ readonly changed: () => number; close(): Promise<void> };

/** As `commitStatement` of the store has it, and what says as much as nothing in as many octets: the frame around it stays true. */
const COMPARISON = Buffer.from("WHERE version = $1::bigint ");
const NONE = Buffer.from("WHERE $1::bigint > -1      ");

/** Opens a relay to a server that takes the comparison out of each commit: so tests play what the program as it is would do without it, and see that they find out. */
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
      for (let at = all.indexOf(COMPARISON); at >= 0; at = all.indexOf(COMPARISON, at)) {
        NONE.copy(all, at);
        changed += 1;
      }
      // What may be its beginning waits for what follows.
      let kept = Math.min(COMPARISON.length - 1, all.length);
      while (kept > 0 && !COMPARISON.subarray(0, kept).equals(all.subarray(all.length - kept))) kept--;
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
