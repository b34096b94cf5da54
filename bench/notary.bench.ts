import { toBase64url } from "../src/bytes/base64url.ts";
import { writeCheckpoint } from "../src/notary/checkpoint.ts";
import { signNote } from "../src/notary/cosignature.ts";
import { checkCurrencyProof, closedEpoch, type ClosedEpoch, writeCurrencyProof } from "../src/notary/currency.ts";
import { type EpochEntry, writeEntry } from "../src/notary/entry.ts";
import type { LogPolicy } from "../src/notary/log-policy.ts";
import { mapKey } from "../src/notary/map.ts";
import { leafHash } from "../src/notary/merkle.ts";
import { writeNote } from "../src/notary/note.ts";
import { PrefixMap } from "../src/notary/prefix-map.ts";
import { EMPTY_TREE, integrate, rootOf, type Tree } from "../src/notary/tree.ts";
import type { Udf } from "../src/udf/udf.ts";
import { atLeast, atMost, type Bench, type Measurement, median, processorTime, reported } from "./bench.ts";
import { LeafTable } from "./notary/leaf-table.ts";
import { IDENTIFIERS, idOf, ORIGIN, signerOf, someone } from "./notary/people.ts";

const [BATCH, ENTRY_OCTETS, ROUNDS] = [256, 300, 5];
/** A log every other bit of whose size is set: as many hashes on the way to its end as on the average. */
const ENTRIES = 0x155555;
const [SECONDS, MB] = [1_790_000_000, 1e6];

/** What the notary's core takes and gives by itself: no store, no disk, no HTTP, in time of the processor. */
export const bench: Bench = {
  name: "notary",
  about: `the notary's core by itself, in time of the processor: appends in batches of ${BATCH}, a map of ${IDENTIFIERS.toLocaleString("en")} identifiers, proofs of what is current`,
  run: async () => {
    const log = await appended();
    const { map, table, measured } = await mapped();
    return [log.measured, ...measured, ...(await proved(log.tree, map, table))];
  },
};

async function appended(): Promise<{ readonly tree: Tree; readonly measured: Measurement }> {
  const log = signerOf("note");
  const entries = Array.from({ length: BATCH }, (_, at) => new Uint8Array(ENTRY_OCTETS).fill(at));
  let tree = EMPTY_TREE;
  const rates: number[] = [];
  while (tree.size < ENTRIES) {
    const from = tree.size;
    const ms = await processorTime(async () => {
      while (tree.size < Math.min(ENTRIES, from + ENTRIES / ROUNDS)) {
        tree = integrate(tree, entries.slice(0, ENTRIES - tree.size).map(leafHash)).tree;
        await signNote(log, writeCheckpoint({ origin: ORIGIN, size: tree.size, root: rootOf(tree), extensions: [] }), SECONDS);
      }
    });
    rates.push(((tree.size - from) * 1000) / ms);
  }
  return { tree, measured: atLeast(80_000, { name: `entries of ${ENTRY_OCTETS} octets hashed and integrated, each batch under a checkpoint of Ed25519`, value: median(rates), unit: "a second", against: `${tree.size.toLocaleString("en")} entries in the end` }) };
}

async function mapped(): Promise<{ readonly map: PrefixMap; readonly table: LeafTable; readonly measured: readonly Measurement[] }> {
  const before = process.memoryUsage().rss;
  const [map, table] = [new PrefixMap(), new LeafTable(IDENTIFIERS)];
  for (let at = 0; at < IDENTIFIERS; at++) table.put(mapKey("personal", idOf(at)), at);
  const filled = process.memoryUsage().rss;
  const built = await processorTime(async () => {
    for (const names of table.bucketNames(4096)) await map.refresh(names, table.read);
  });
  const updates: Measurement[] = [];
  for (const batch of [1, 16, 256]) {
    const turns = Math.ceil(8192 / batch);
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ms = await processorTime(async () => {
        for (let turn = 0; turn < turns; turn++) await map.refresh(Array.from({ length: batch }, () => table.touch(someone())), table.read);
      });
      rates.push((turns * batch * 1000) / ms);
    }
    updates.push(reported({ name: `updates of the map in batches of ${batch}`, value: median(rates), unit: "a second", against: "accounts drawn at random" }));
  }
  const held = process.memoryUsage().rss - before;
  return {
    map,
    table,
    measured: [
      reported({ name: "the map built anew", value: built / 1000, unit: "s", against: "what a portal without its upper levels does once" }),
      ...updates,
      atMost(300, { name: "memory of map and leaves after that", value: held / MB, unit: "MB", against: `of which ${((filled - before) / MB).toFixed(0)} MB came with the leaves, which a portal keeps on disk` }),
    ],
  };
}

async function proved(before: Tree, map: PrefixMap, table: LeafTable): Promise<readonly Measurement[]> {
  const [own, second] = [signerOf("note"), signerOf("subtree/v1")];
  const cosigners = [1, 2, 3].map((at) => signerOf("cosignature/v1", `cosigner.example/${at}`));
  const epoch: EpochEntry = { k: "epoch", map: toBase64url(map.root), n: 400_000, t: SECONDS * 1000, v: 1 };
  const { tree } = integrate(before, [leafHash(writeEntry(epoch))]);
  const text = writeCheckpoint({ origin: ORIGIN, size: tree.size, root: rootOf(tree), extensions: [] });
  const signatures = await Promise.all([own, second, ...cosigners].map((one) => signNote(one, text, SECONDS)));
  const [plain, full] = [signatures.slice(0, 1), signatures].map((some) => closedEpoch(epoch, before, writeNote({ text, signatures: some }))) as [ClosedEpoch, ClosedEpoch];
  const prove = async (id: Udf<"master">, end: ClosedEpoch) => writeCurrencyProof({ kind: "personal", id }, await map.prove(mapKey("personal", id), table.read), end);
  const ids = Array.from({ length: 4000 }, () => idOf(someone()));
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ms = await processorTime(async () => {
      for (const id of ids) await prove(id, full);
    });
    rates.push((ids.length * 1000) / ms);
  }
  const sizes = await Promise.all(ids.map(async (id) => (await prove(id, plain)).length));
  const policy: LogPolicy = { origin: ORIGIN, logKeys: [own.key, second.key], cosigners: cosigners.map(({ key }) => key), quorum: 3, freshSeconds: 600 };
  const times: number[] = [];
  for (const id of ids.slice(0, 400)) {
    const proof = await prove(id, full);
    times.push(await processorTime(() => checkCurrencyProof(proof, policy, SECONDS)));
  }
  return [
    atLeast(8000, { name: "proofs of what is current", value: median(rates), unit: "a second", against: "the leaves in memory" }),
    atMost(2000, { name: `the largest of ${ids.length} proofs, without cosignatures`, value: Math.max(...sizes), unit: "octets", against: `median ${median(sizes)}; ${before.peaks.length} hashes lead through the log, each 45 octets` }),
    atMost(2, { name: "checking one, signed twice by its log and by three cosigners", value: median(times), unit: "ms", against: `the first ${(times[0] ?? 0).toFixed(1)} ms` }),
  ];
}
