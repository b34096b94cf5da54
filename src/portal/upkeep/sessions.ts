import type { Store } from "../../store/store.ts";
import { shelf } from "../records.ts";
import { pageOf } from "./walk.ts";

/** Ends all sessions: after a restore, what was answered in them since the backup is not known. Devices open others at no cost. */
export async function forgetSessions(store: Store): Promise<void> {
  for (const from of [shelf.sessions, shelf.openings, shelf.answers]) {
    for (let left = 1; left > 0; ) {
      left = await store.transact(async (w) => {
        const page = await w.list(from, "", { limit: pageOf(from) });
        for (const { key } of page) await w.remove(from, key);
        return page.length;
      });
    }
  }
}
