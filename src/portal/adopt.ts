import { logShelf } from "../notary/keeping/rows.ts";
import type { Recording } from "../notary/keeping/record.ts";
import type { MasterId } from "../profiles/types.ts";
import type { Store } from "../store/store.ts";
import { accountIn } from "./decide/accounts.ts";
import { type Logged, objectOf, sealedOf, writeLogged } from "./logged.ts";
import { putRow, row, shelf } from "./records.ts";
import { loadWhole, type Whole } from "./whole.ts";

/** How far a log was told what was here before it: the last mesh, and whether that was all. */
type AdoptedRow = { readonly after: string; readonly done: boolean };

const ADOPTED = "adopted";
/** So many meshes in one transaction. */
const AT_ONCE = 64;

/**
 * Tells a log what its portal held before it had one (`docs/spec/log.md` 9.4), before anything else is written to it.
 *
 * Cut off anywhere, it goes on at the next start where it was: a mesh and the word that it was told are one transaction.
 */
export async function adopt(store: Store): Promise<void> {
  for (let more = true; more; ) {
    more = await store.transact(async (w) => {
      const at = await row<AdoptedRow>(w, logShelf.log, ADOPTED);
      if (at?.done === true) return false;
      const meshes = await w.list(shelf.meshes, "", { limit: AT_ONCE, ...(at === undefined ? {} : { after: at.after }) });
      for (const { key } of meshes) {
        const whole = await loadWhole(w, key as MasterId);
        if (whole !== undefined) await writeLogged(w, heldBy(whole));
      }
      const after = meshes.at(-1)?.key ?? at?.after ?? "";
      await putRow(w, logShelf.log, ADOPTED, { after, done: meshes.length < AT_ONCE } satisfies AdoptedRow);
      return meshes.length === AT_ONCE;
    });
  }
}

/** What the log would have been told of a mesh, version by version. */
function heldBy({ id, account, applications, chains, devices, history, masters, suspensions }: Whole): Logged {
  const recordings: Recording[] = [accountIn(account)];
  const known = new Set<string>();
  for (const [at, master] of masters.entries()) {
    recordings.push(objectOf(id, { k: "master", n: at + 1 }, master, masters[at - 1]?.digest));
    for (const [place, { profile }] of history.entries()) {
      const { g, n } = profile.payload;
      if (g !== at + 1) continue;
      const fresh = profile.payload.devices.filter((device) => devices.has(device.id) && !known.has(device.id));
      for (const device of fresh) known.add(device.id);
      recordings.push(...fresh.map((device) => sealedOf(id, "device", { device: device.digest, id: device.id })), objectOf(id, { k: "personal", g, n }, profile, history[place - 1]?.profile.digest));
    }
  }
  for (const [at, { object }] of suspensions.entries()) recordings.push(objectOf(id, { k: "suspension", n: at + 1 }, object, suspensions[at - 1]?.object.digest));
  for (const { digest, payload } of applications.values()) recordings.push(sealedOf(id, "application", { application: payload.id, digest, version: payload.version }));
  return { recordings, ...(chains.size === 0 ? {} : { due: id }) };
}
