import { logShelf } from "../../notary/keeping/rows.ts";
import type { Store } from "../../store/store.ts";

/** So many rows are taken away in one transaction. */
const AT_ONCE = 1024;

/** Takes away all that is kept of a log but its entries, which are the store's: of a portal that went back in time and must begin another. */
export async function forgetLog(store: Store): Promise<void> {
  for (const shelf of Object.values(logShelf)) {
    for (let more = true; more; ) {
      more = await store.transact(async (w) => {
        const rows = await w.list(shelf, "", { limit: AT_ONCE });
        for (const { key } of rows) await w.remove(shelf, key);
        return rows.length === AT_ONCE;
      });
    }
  }
}
