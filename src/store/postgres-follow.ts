import { setTimeout as sleep } from "node:timers/promises";
import { abandon, connectPostgres } from "./postgres-client.ts";
import { channelOf } from "./postgres-link.ts";
import { parsePostgresUrl } from "./postgres-url.ts";

/** How often the connection is tried that listens, and how long is waited before another one; milliseconds. */
const [TRY_MS, PAUSE_MS] = [5_000, 1_000];

/**
 * Tells of each entry of the announced shelf that any process put into the database at `url`, by its key, soon after; `undefined` where it is not known
 * what was missed, as at the beginning, and when the server was away. Nothing depends on it but how soon something is seen.
 */
export function followPostgres(url: string, told: (key: string | undefined) => void, schema = "mesh"): { stop(): Promise<void> } {
  const address = parsePostgresUrl(url);
  const over = new AbortController();
  const listen = async (): Promise<void> => {
    const client = await connectPostgres(address);
    try {
      client.on("notification", ({ payload }) => told(Buffer.from(payload ?? "", "hex").toString("utf8")));
      await client.query(`LISTEN ${channelOf(schema)}`);
      told(undefined);
      // A connection whose other end is gone says nothing of that by itself.
      while (!over.signal.aborted) {
        await sleep(TRY_MS, undefined, { signal: over.signal });
        await client.query("SELECT 1");
      }
    } finally {
      abandon(client);
    }
  };
  const kept = (async () => {
    while (!over.signal.aborted) {
      await listen().catch(() => undefined);
      await sleep(PAUSE_MS * Math.random(), undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await kept;
    },
  };
}
