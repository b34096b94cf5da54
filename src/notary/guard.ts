import { equalBytes } from "../bytes/equal.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { LogHead } from "./log-head.ts";
import { rootAt } from "./prove.ts";
import type { TileReader } from "./tiles.ts";

/**
 * Demands that a log, after a restart, a restore or a failover, goes on from everything that others cosigned for it (decision 8.7): else it would sign
 * what contradicts its own word.
 *
 * `log-behind-peers` if it has fewer entries than one of them, or others.
 */
export async function checkNotBehind(size: number, read: TileReader, cosigned: readonly LogHead[]): Promise<void> {
  for (const head of cosigned) {
    const same = head.size <= size && equalBytes(await rootAt(read, head.size), head.root);
    if (!same) throw new MeshError("log-behind-peers", `Others cosigned this log with ${head.size} entries that are not the first of the ${size} here.`, "Nothing is signed. Get the missing entries from a mirror, or begin a new log.");
  }
}
