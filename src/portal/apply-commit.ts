import { fromBase64url } from "../bytes/base64url.ts";
import { ordinal } from "../bytes/ordinal.ts";
import { type Authority, authorityOf, type Chain, nextCommit } from "../catalogs/chain.ts";
import { checkBody } from "../catalogs/commits.ts";
import { owed } from "../catalogs/freshness.ts";
import type { HistoryWords } from "../profiles/history.ts";
import { deviceEntry } from "../profiles/personal.ts";
import { NOBODY, partyOf } from "../profiles/suspension.ts";
import { isSame } from "../profiles/version.ts";
import { demand } from "../refusals/mesh-error.ts";
import { chainIn, type Draft, deviceIn, personalNow, rosterNow } from "./draft.ts";
import type { ReadPart } from "./read-part.ts";
import { personalKey, wordsIn } from "./personals.ts";
import { noteShared } from "./releases.ts";
import { putObject, putRow, shelf } from "./records.ts";

/** Takes the next commit of a catalog's chain. */
export async function applyCommit(draft: Draft, { signed, body: sent }: Extract<ReadPart, { kind: "commit" }>): Promise<void> {
  const { id, now } = draft;
  const { payload } = signed;
  const before = await chainIn(draft, payload.catalog);
  if (before?.index === payload.index && before.digest === signed.digest) return;
  const current = deviceEntry(personalNow(draft)?.payload ?? { devices: [] }, signed.kid);
  demand(current?.status === "active", "commit-wrong-author", "The author of this commit is no active device.");
  const authority = draft.mesh === undefined ? await recentAuthority(draft, before, signed.kid) : authorityOf(draft.mesh, now);
  demand(!authority.suspended.has(partyOf(signed.kid, authority.roster).id), "signer-suspended", "The author of this commit is suspended.");
  // Nobody writes under an epoch that a device cut off by now can read: a roll comes first (decision 6.2).
  const stale = payload.kind === "entries" && owed(before, payload.catalog, authority.history, authority.suspended, authority.roster).roll;
  demand(!stale, "commit-wrong-epoch", "This catalog is owed a new epoch before any more entries.");
  const { commit, chain, standing } = await nextCommit(before, signed, authority);
  demand(standing === "stands", "commit-wrong-author", "The author of this commit was cut off before it.");
  const body = sent === undefined ? undefined : fromBase64url(sent);
  checkBody(commit.payload, body);
  draft.chains.set(chain.catalog, chain);
  draft.moved = true;
  draft.effects.push(async (w) => {
    await noteShared(w, shelf.objects, commit.digest);
    await putObject(w, commit);
    if (body !== undefined && commit.payload.kind === "entries") {
      await noteShared(w, shelf.bodies, commit.payload.digest);
      await w.put(shelf.bodies, commit.payload.digest, body);
    }
    await putRow(w, shelf.commits, `${id}/${chain.catalog}/${ordinal(chain.index)}`, { arrived: now, digest: commit.digest });
    await putRow(w, shelf.chains, `${id}/${chain.catalog}`, chain);
  });
}

/**
 * As much of a mesh as entries are judged by where nobody was ever suspended: who wrote them, and the Personal Profiles
 * from the one under which the chain's epoch began; whether a reader was removed before that, the epoch has answered.
 */
async function recentAuthority(draft: Draft, before: Chain | undefined, author: string): Promise<Authority> {
  const device = await deviceIn(draft, author);
  return {
    id: draft.id,
    masters: [],
    history: await historySince(draft, before),
    devices: new Map(device === undefined ? [] : [[author, device]]),
    suspensions: [],
    roster: rosterNow(draft),
    suspended: NOBODY,
  };
}

async function historySince({ id, read, versions }: Draft, chain: Chain | undefined): Promise<HistoryWords> {
  const found = versions[0];
  if (found === undefined || chain === undefined || isSame(chain.epochVersion, found.profile.payload)) return versions;
  const { g, n } = chain.epochVersion;
  const older = await read(async (r) => {
    const rows = await r.list(shelf.personals, `${id}/`, { after: personalKey(id, { g, n: n - 1 }) });
    return Promise.all(rows.map(({ value }) => wordsIn(r, value)));
  });
  return [...older.filter((one) => one.profile.digest !== found.profile.digest), ...versions];
}
