import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBase64url } from "../src/bytes/base64url.ts";
import type { Digest } from "../src/envelope/fields.ts";
import { type PublicEntry, writeEntry } from "../src/notary/entry.ts";
import { LogKeeper } from "../src/notary/keeping/log-keeper.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import type { Store } from "../src/store/store.ts";
import { atLeast, atMost, type Bench, type Measurement, median, processorTime, reported } from "./bench.ts";
import { IDENTIFIERS, idOf, ORIGIN, signerOf, someone } from "./notary/people.ts";

const [BATCH, BATCHES, EPOCH] = [256, 400, 16];
const MB = 1e6;
const DIGEST = toBase64url(new Uint8Array(64).fill(7)) as Digest;

/** A log kept in SQLite, with a million identifiers: the notary as a portal has it, without what a portal does besides. */
export const bench: Bench = {
  name: "notary-store",
  about: `a log kept in SQLite with ${IDENTIFIERS.toLocaleString("en")} identifiers: durable appends in batches of ${BATCH}, epochs, proofs`,
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "mesh-bench-log-"));
    const store = await openSqliteStore(join(folder, "log.db"));
    try {
      const before = process.memoryUsage().rss;
      const keeper = await LogKeeper.open({ store, origin: ORIGIN, signers: [signerOf("note"), signerOf("subtree/v1")], now: Date.now, standingOf: async () => ({}) });
      const filled = await fill(store, keeper);
      const updates = await append(store, keeper);
      const proofs = await prove(keeper);
      const held = process.memoryUsage().rss - before;
      return [filled, ...updates, proofs, atMost(300, { name: "memory after all that", value: held / MB, unit: "MB", against: "SQLite's cache among it" })];
    } finally {
      await store.close();
      rmSync(folder, { recursive: true });
    }
  },
};

/** A million people, in epochs of some thousands. */
async function fill(store: Store, keeper: LogKeeper): Promise<Measurement> {
  const step = 5000;
  const ms = await processorTime(async () => {
    for (let from = 0; from < IDENTIFIERS; from += step) {
      await store.transact(async (w) => {
        for (let person = from; person < from + step; person++) await w.append(writeEntry(entryOf(person, 1)));
      });
      await keeper.close();
    }
  });
  return reported({ name: "a first entry of an identifier, with its place in the map, in epochs of 5,000", value: (IDENTIFIERS * 1000) / ms, unit: "a second of processor", against: "" });
}

/** Durable appends, and epochs over them. */
async function append(store: Store, keeper: LogKeeper): Promise<readonly Measurement[]> {
  const [rates, own, epochs]: [number[], number[], number[]] = [[], [], []];
  let n = 2;
  for (let batch = 0; batch < BATCHES; batch += EPOCH) {
    const all = Array.from({ length: EPOCH }, () => Array.from({ length: BATCH }, () => writeEntry(entryOf(someone(), n))));
    const began = performance.now();
    const busy = await processorTime(async () => {
      for (const entries of all) {
        await store.transact(async (w) => {
          for (const entry of entries) await w.append(entry);
        });
      }
    });
    rates.push((EPOCH * BATCH * 1000) / (performance.now() - began));
    own.push((busy * 1000) / (EPOCH * BATCH));
    epochs.push(((await processorTime(() => keeper.close())) * 1000) / (EPOCH * BATCH));
    n++;
  }
  return [
    atLeast(80_000, { name: `durable appends in batches of ${BATCH}`, value: median(rates), unit: "a second", against: `by the clock, the disk waited for; ${median(own).toFixed(1)} us of processor each` }),
    reported({ name: `closing an epoch of ${EPOCH * BATCH} entries, each of another identifier: map, tree, tiles, signatures`, value: median(epochs), unit: "us of processor an entry", against: "bare verification of an update: some 800" }),
  ];
}

async function prove(keeper: LogKeeper): Promise<Measurement> {
  const rates: number[] = [];
  for (let round = 0; round < 5; round++) {
    const ids = Array.from({ length: 2000 }, () => idOf(someone()));
    const ms = await processorTime(async () => {
      for (let from = 0; from < ids.length; from += 32) await Promise.all(ids.slice(from, from + 32).map((id) => keeper.prove({ kind: "personal", id })));
    });
    rates.push((ids.length * 1000) / ms);
  }
  return atLeast(8000, { name: "proofs of what is current, each checked before it is given", value: median(rates), unit: "a second of processor", against: "identifiers at random, 32 at once" });
}

function entryOf(person: number, n: number): PublicEntry {
  return { g: 1, id: idOf(person), k: "personal", len: 9000, n, obj: DIGEST, v: 1 };
}
