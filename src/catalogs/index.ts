/** Catalogs: one linear chain of signed commits each, encrypted by epochs, merged by field (decision 6). */
export { type Authority, authorityOf, type Chain, nextCommit, type Placed } from "./chain.ts";
export { checkBody, type Commit, commit, type EntriesCommit, type EpochCommit, type GrantCommit, MAX_COMMIT_BODY } from "./commits.ts";
export { type Change, openChanges, pad, sealChanges } from "./entries.ts";
export { type EntryId, newEntryId } from "./entry-id.ts";
export { beginEpoch, type EpochKeys, grantEpoch, type Place, previousKey, takeKey } from "./epoch-keys.ts";
export { owed, type Owed } from "./freshness.ts";
export { change, current, type Entry, isRemoved, merge, past, REMOVED, type Write, writes } from "./merge.ts";
