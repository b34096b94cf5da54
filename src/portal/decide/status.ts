import { ordinal } from "../../bytes/ordinal.ts";
import type { Chain } from "../../catalogs/chain.ts";
import type { Digest } from "../../envelope/fields.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { digestOfSuspensions } from "../../profiles/mesh.ts";
import { MAX_SUSPENSIONS } from "../../profiles/personal.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { status } from "../../protocol/profiles.ts";
import type { Reading } from "../../store/store.ts";
import { type Context, memberOf, type Plan } from "../context.ts";
import { type ApplicationRow, getObject, parseRow, row, shelf, type Stamped } from "../records.ts";
import { startsOf } from "../releases.ts";
import { unansweredOf } from "../requests.ts";
import type { View } from "../view.ts";

type Answer = ResponseOf<typeof status>;

/** Status: heads and versions, all in one small answer; two rows an application are read for it, however much there is. */
export async function decideStatus(context: Context, _request: RequestOf<typeof status>): Promise<Plan<Answer>> {
  const { view, device, role } = memberOf(context);
  const { id, personal } = view;
  const { applications: all } = personal.profile.payload;
  const readable = all.filter((application) => application.readers.includes(device));
  return context.read(async (r) => {
    const heads: Answer["heads"] = [];
    const applications: Answer["applications"] = [];
    for (const application of readable) {
      const chain = await row<Chain>(r, shelf.chains, `${id}/${application.id}`);
      if (chain !== undefined) heads.push({ catalog: application.id, digest: chain.digest, index: chain.index });
      const version = await versionOf(r, `${id}/${application.id}`);
      if (version !== undefined) applications.push({ id: application.id, version });
    }
    const starts = new Map((await startsOf(r, id)).map(({ catalog, index }): [string, number] => [catalog, index]));
    const forgotten = readable.flatMap((one) => { const index = starts.get(one.id); return index === undefined ? [] : [{ catalog: one.id, index }]; });
    const pending = role === "admin" ? (await unansweredOf(r, id, context.now)).length : 0;
    return { response: { ...(await standingOf(r, view, context.now)), applications, forgotten, heads, pending } };
  });
}

/** Where a mesh stands: its versions and suspensions. */
export async function standingOf(reading: Reading, { id, roster, personal, record }: View, now: number): Promise<Pick<Answer, "master" | "now" | "personal" | "suspended" | "suspensions">> {
  const { g, n } = personal.profile.payload;
  const suspended = digestOfSuspensions(await newestSuspensions(reading, id, record.suspensions));
  return { master: { digest: roster.digest, version: roster.version }, now, personal: { digest: personal.profile.digest, g, n }, suspended, suspensions: record.suspensions };
}

/** The digests of the newest suspensions, as a version names them. */
async function newestSuspensions(reading: Reading, id: string, count: number): Promise<Digest[]> {
  if (count === 0) return [];
  const rows = await reading.list(shelf.suspensions, `${id}/`, { after: `${id}/${ordinal(Math.max(0, count - MAX_SUSPENSIONS))}`, limit: Math.min(count, MAX_SUSPENSIONS) });
  return rows.map(({ value }) => parseRow<Stamped>(value).digest);
}

/** The version of the Application Profile that counts; an older version of the program kept it in the profile only. */
async function versionOf(reading: Reading, key: string): Promise<number | undefined> {
  const kept = await row<ApplicationRow>(reading, shelf.applications, key);
  return kept === undefined ? undefined : (kept.version ?? (await getObject(reading, kept.digest, applicationProfile)).payload.version);
}
