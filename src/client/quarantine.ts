import { cutOf } from "../catalogs/chain.ts";
import { without } from "../catalogs/merge.ts";
import { disabledIn } from "../profiles/history.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { EntryRows } from "./entry-rows.ts";
import { forgetSnapshot } from "./snapshot-rows.ts";
import type { RowsWriting } from "./rows.ts";

/**
 * Takes out what a device that is now known to be disabled appended after the heads that its disabler knew.
 *
 * A portal may have shown such commits to this device before it showed the disabling; another device never took them.
 * What is taken out is kept apart, so that nothing is lost, and both devices hold the same entries.
 */
export async function quarantineDisabled(rows: RowsWriting, before: Mesh, mesh: Mesh, now: number): Promise<void> {
  const fresh = personalOf(mesh).payload.devices.filter(({ id, status }) => status === "disabled" && disabledIn(before.history, id) === undefined);
  for (const { id: device } of fresh) {
    for (const { id: catalog } of personalOf(mesh).payload.applications) {
      const cut = cutOf(mesh, device, catalog);
      if (cut === undefined) continue;
      const entries = new EntryRows(rows, catalog);
      let taken = 0;
      for (const entry of await entries.all()) {
        const left = without(entry, (write) => write.author === device && (write.commit ?? 0) > cut);
        if (left === entry) continue;
        taken += 1;
        await rows.put("taken-out", catalog, entry.id, entry);
        if (left === undefined) await entries.remove(entry.id);
        else await entries.put(left);
      }
      await entries.flush(rows);
      if (taken > 0) await forgetSnapshot(rows, catalog, now);
    }
  }
}
