// A process of its own for the tests of several: `node test-postgres-writer.ts URL NAME N` makes N updates, four at a time, and says of each that was acknowledged its key and index.
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MeshError } from "../refusals/mesh-error.ts";
import { readNumber, text, writeNumber } from "./conformance-values.ts";
import { openPostgresStore } from "./postgres.ts";
import type { Store } from "./store.ts";

const [url = "", name = "", count = ""] = process.argv.slice(2);
const store = await opened();

let next = 0;
async function write(): Promise<void> {
  while (next < Number(count)) {
    const key = `${name}-${next++}`;
    for (let done = false; !done; ) done = await once(key);
  }
}

/** The store, once there is a server: it may crash before this process has begun. */
async function opened(): Promise<Store> {
  for (;;) {
    try {
      return await openPostgresStore(url, { owner: "test", patience: 30_000 });
    } catch (error) {
      if (!(error instanceof MeshError) || error.code !== "store-unreachable") throw error;
      await sleep(20);
    }
  }
}

/** One update: an entry, a leaf and a count that belong together. Asking again is safe, as the contract demands of its callers. */
async function once(key: string): Promise<boolean> {
  try {
    const index = await store.transact(async (w) => {
      const there = await w.get("s", key);
      if (there !== undefined) return Number(Buffer.from(there));
      await writeNumber(w, "n", "count", (await readNumber(w, "n", "count")) + 1);
      const place = await w.append(text(key));
      await w.put("s", key, text(String(place)));
      return place;
    });
    writeSync(1, `${key} ${index}\n`);
    return true;
  } catch (error) {
    if (error instanceof MeshError && ["store-failed", "store-unreachable", "store-busy"].includes(error.code)) return false;
    throw error;
  }
}

await Promise.all([write(), write(), write(), write()]);
await store.close();
