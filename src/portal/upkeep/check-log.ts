import { fromBase64url, toBase64url } from "../../bytes/base64url.ts";
import { type HeadRow, logShelf, rowIn } from "../../notary/keeping/rows.ts";
import { Replay } from "../../notary/replay.ts";
import { compareVersions } from "../../profiles/version.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Reading } from "../../store/store.ts";
import { parseRow, shelf, type Stamped } from "../records.ts";
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

/** The newest version that is kept of each mesh is in the log as the newest, or the log knows of a newer one: that it is lost here, others tell. */
async function checkNewest(reading: Reading, log: Replay, wrong: (where: string, why: string) => void): Promise<void> {
  for await (const { key } of rowsOf(reading, shelf.meshes)) {
    const [kept] = await reading.list(shelf.personals, `${key}/`, { reverse: true, limit: 1 });
    const digest = kept === undefined ? undefined : digestIn(kept.value);
    if (kept === undefined || digest === undefined) continue;
    const [, g = 0, n = 0] = kept.key.split("/").map(Number);
    const newest = await log.newest("personal", key);
    const order = newest === undefined ? -1 : compareVersions(newest, { g, n });
    if (order < 0 || (order === 0 && toBase64url(newest?.digest ?? new Uint8Array(0)) !== digest)) wrong(`mesh ${key}`, "The notary log has another version of its Personal Profile as the newest.");
  }
}

/** The digest in a row; of a row that does not parse others tell. */
function digestIn(row: Uint8Array): string | undefined {
  try {
    return parseRow<Stamped>(row).digest;
  } catch {
    return undefined;
  }
}
