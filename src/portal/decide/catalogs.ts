import { toBase64url } from "../../bytes/base64url.ts";
import { ordinal } from "../../bytes/ordinal.ts";
import type { Chain } from "../../catalogs/chain.ts";
import { commit as commitType } from "../../catalogs/commits.ts";
import { applicationEntry } from "../../profiles/personal.ts";
import type { catalogAppend, catalogRead } from "../../protocol/catalogs.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { Part, SentCommit } from "../../protocol/parts.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { type Context, memberOf, type Plan } from "../context.ts";
import { ANSWER_OCTETS } from "../limits.ts";
import { getObject, parseRow, row, shelf, type Stamped } from "../records.ts";
import { releasesShown, startOf } from "../releases.ts";
import { planParts } from "./profiles.ts";

const ANSWER_COMMITS = 64;

/** CatalogAppend: commits that follow the heads they name, all or none. */
export async function decideCatalogAppend(context: Context, request: RequestOf<typeof catalogAppend>): Promise<Plan<ResponseOf<typeof catalogAppend>>> {
  const parts = request.commits.map((sent): Part => ({ kind: "commit", object: sent.commit, ...(sent.body === undefined ? {} : { body: sent.body }) }));
  return { ...(await planParts(context, memberOf(context).view, parts)), response: { arrived: context.now } };
}

/** CatalogRead: the commits after an index, for readers of the catalog. */
export async function decideCatalogRead(context: Context, request: RequestOf<typeof catalogRead>): Promise<Plan<ResponseOf<typeof catalogRead>>> {
  const { view, device } = memberOf(context);
  const entry = applicationEntry(view.personal.profile.payload, request.catalog);
  demand(entry?.readers.includes(device) === true, "catalog-not-readable", "This device does not read that catalog.");
  const chain = await context.read((r) => row<Chain>(r, shelf.chains, `${view.id}/${request.catalog}`));
  if (chain === undefined) return { response: { commits: [], more: false } };
  const head = { digest: chain.digest, index: chain.index };
  const forgotten = await context.read(async (r) => ((await startOf(r, view.id, request.catalog))?.index ?? 0) > request.after ? releasesShown(r, view.id, request.catalog) : undefined);
  if (forgotten !== undefined) return { response: { commits: [], head, more: false, releases: forgotten } };
  const commits = await context.read(async (r) => {
    const rows = await r.list(shelf.commits, `${view.id}/${request.catalog}/`, { after: `${view.id}/${request.catalog}/${ordinal(request.after)}`, limit: ANSWER_COMMITS });
    const sent: SentCommit[] = [];
    let room = ANSWER_OCTETS;
    for (const { value } of rows) {
      const commit = await getObject(r, parseRow<Stamped>(value).digest, commitType);
      const body = commit.payload.kind === "entries" ? await r.get(shelf.bodies, commit.payload.digest) : undefined;
      if (commit.payload.kind === "entries" && body === undefined) throw new MeshError("store-damaged", "The body of a commit is missing from the portal's database.");
      room -= commit.jws.payload.length + commit.jws.signature.length + (body?.length ?? 0) * 1.34;
      if (room < 0 && sent.length > 0) break;
      sent.push({ commit: commit.jws, ...(body === undefined ? {} : { body: toBase64url(body) }) });
      if (commit.payload.index === chain.index) break;
    }
    return sent;
  });
  return { response: { commits, head, more: request.after + commits.length < chain.index } };
}
