import { fromBase64url, toBase64url } from "../../bytes/base64url.ts";
import { type HeadRow, logShelf, rowIn } from "../../notary/keeping/rows.ts";
import { Replay } from "../../notary/replay.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Reading } from "../../store/store.ts";
import { personalKey } from "../personals.ts";
import { type MeshRecord, parseRow, shelf, type Stamped } from "../records.ts";
import type { Finding } from "./finding.ts";
import { rowsOf } from "./walk.ts";

/** So many entries are read at once. */
const ENTRIES = 4096;

/**
 * Reads a portal's log as somebody outside would, from its first entry on, and holds it against what the portal keeps: where it is another, nobody
 * may sign on top of it, and nothing makes it right again.
 */
export async function checkLog(reading: Reading, tell: (finding: Finding) => void): Promise<void> {
  const wrong = (where: string, why: string): void => tell({ what: "log-wrong", where, why, repairs: [] });
  try {
    const head = await rowIn<HeadRow>(reading, logShelf.log, "head");
    if (head === undefined) return;
    const log = new Replay();
    await take(reading, log, head.size);
    if (!log.agrees({ origin: "", size: head.size, root: fromBase64url(head.root), extensions: [] })) wrong("the notary log", "Its entries do not make the tree that was signed.");
    // What is not under an epoch yet.
    await take(reading, log, Number.MAX_SAFE_INTEGER);
    await checkNewest(reading, log, wrong);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    wrong("the notary log", error.message);
  }
}

async function take(reading: Reading, log: Replay, to: number): Promise<void> {
  while (log.size < to) {
    const entries = await reading.leaves(log.size, Math.min(ENTRIES, to - log.size));
    if (entries.length === 0) return;
    await log.take(entries);
  }
}

/** What counts here is what the log has as the newest. */
async function checkNewest(reading: Reading, log: Replay, wrong: (where: string, why: string) => void): Promise<void> {
  for await (const { key, value } of rowsOf(reading, shelf.meshes)) {
    const { g, master, n, purging } = parseRow<MeshRecord>(value);
    if (purging === true) continue;
    const kept = await reading.get(shelf.personals, personalKey(key, { g, n }));
    const digest = kept === undefined ? undefined : parseRow<Stamped>(kept).digest;
    const newest = log.newest("personal", key);
    const same = newest?.g === g && newest.n === n && toBase64url(newest.digest) === digest && log.newest("master", key)?.g === master;
    if (!same) wrong(`mesh ${key}`, "The notary log has other versions of its profiles as the newest.");
  }
}
