import { commit as commitType } from "../../catalogs/commits.ts";
import type { Reading } from "../../store/store.ts";
import { keptApart, personalIn } from "../personals.ts";
import { getObject, type MeshRecord, parseRow, row, shelf, type Stamped } from "../records.ts";
import type { RequestRecord } from "../requests.ts";
import { startsOf } from "../releases.ts";
import { rowsOf } from "./walk.ts";

/** What one mesh keeps on the shelves that all meshes share: digests of objects, and of the ciphertext beside commits. */
export type References = { readonly objects: Set<string>; readonly bodies: Set<string> };

/** The shelves whose rows name an object in `digest`; their keys begin with the mesh. */
const NAMING = [shelf.masters, shelf.suspensions, shelf.applications, shelf.commits, shelf.releases] as const;

/** Every shared object that a mesh needs, its device profiles and connection requests among them. */
export async function referencesOf(reading: Reading, master: string): Promise<References> {
  const objects = new Set<string>();
  const bodies = new Set<string>();
  const record = await row<MeshRecord>(reading, shelf.meshes, master);
  if (record !== undefined) objects.add(record.account);
  const forgotten = new Map((await startsOf(reading, master)).map(({ catalog, index }): [string, number] => [catalog, index]));
  for (const from of NAMING) {
    for await (const { key, value } of rowsOf(reading, from, `${master}/`)) {
      const [, catalog = "", index = ""] = key.split("/");
      if (from === shelf.commits && Number(index) <= (forgotten.get(catalog) ?? 0)) continue;
      const { digest, countersignature } = parseRow<Stamped & { countersignature?: string }>(value);
      objects.add(digest);
      if (countersignature !== undefined) objects.add(countersignature);
      // A purge that was cut off has taken some away already.
      if ((await reading.get(shelf.objects, digest)) === undefined) continue;
      if (from === shelf.commits) {
        const { payload } = await getObject(reading, digest, commitType);
        if (payload.kind === "entries") bodies.add(payload.digest);
      }
    }
  }
  for await (const { value } of rowsOf(reading, shelf.personals, `${master}/`)) {
    const named = keptApart(value);
    if (named !== undefined) objects.add(named);
    if (named !== undefined && (await reading.get(shelf.objects, named)) === undefined) continue;
    for (const device of (await personalIn(reading, value)).payload.devices) objects.add(device.digest);
  }
  for await (const { value } of rowsOf(reading, shelf.requests, `${master}/`)) {
    const request = parseRow<RequestRecord>(value);
    objects.add(request.digest);
    if (request.answer !== undefined) objects.add(request.answer);
  }
  for await (const { value } of rowsOf(reading, shelf.requesters, `${master}/`)) objects.add(parseRow<{ device: string }>(value).device);
  return { objects, bodies };
}
