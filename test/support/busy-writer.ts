// Several who write at once into one store, and note each write when it was told that it is durable: `busy-writer.ts DATABASE NOTES`.
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openServingStore } from "../../src/store/sqlite.ts";

const WRITERS = 5;
const WRITES = 24;

const [database = "", notes = ""] = process.argv.slice(2);
const store = await openServingStore(database);
const noted = openSync(notes, "w");
await Promise.all(Array.from({ length: WRITERS }, async (_, writer) => {
  for (let write = 0; write < WRITES; write++) {
    const key = `${writer}-${write}`;
    await store.transact((w) => w.put("written", key, new TextEncoder().encode(key.repeat(50))));
    writeSync(noted, `${key}\n`, 0);
    // Long enough all together that what stands in the log is moved into the database meanwhile, more than once.
    if (write % 4 === 3) await sleep(60);
  }
}));
await store.close();
