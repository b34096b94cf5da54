import type { Jws } from "../../../src/envelope/signed.ts";
import type { ResponseOf } from "../../../src/protocol/command.ts";
import type { catalogRead } from "../../../src/protocol/catalogs.ts";
import type { connectPending, connectStatus } from "../../../src/protocol/connections.ts";
import type { get, getProfiles, status } from "../../../src/protocol/profiles.ts";
import type { Mark } from "./scene.ts";

type Status = ResponseOf<typeof status>;
type Commits = ResponseOf<typeof catalogRead>;
type Profiles = ResponseOf<typeof getProfiles>;

/** What is told in the place of an answer, and what an omniscient witness says of it; `undefined` where there is nothing to lie about. */
type Told<A> = { readonly told: A; readonly mark?: Mark } | undefined;

/** A lie about one answer; `pick` chooses what it is about. */
type Lie<A> = (answer: A, pick: number) => Told<A>;

const HOUR = 3_600_000;
const FLOOD = 3000;

/** Octets that are no true signature any more. */
function spoiled(jws: Jws): Jws {
  const first = jws.signature[0] === "A" ? "B" : "A";
  return { ...jws, signature: first + jws.signature.slice(1) };
}

function nth<T>(items: readonly T[], pick: number, change: (item: T) => T): T[] {
  return items.map((item, index) => (index === pick % items.length ? change(item) : item));
}

/** Lies about an answer that must not be empty, else they say nothing. */
function ifAny<A, T>(list: (answer: A) => readonly T[], lie: (answer: A, items: readonly T[], pick: number) => A, least = 1): Lie<A> {
  return (answer, pick) => (list(answer).length < least ? undefined : { told: lie(answer, list(answer), pick), mark: "false" });
}

// What these tell is compared with what the device knows and with what the portal holds, by `judge.ts`: only that tells what contradicts what.
const aboutStatus: Readonly<Record<string, Lie<Status>>> = {
  "an older version": (answer) => ({ told: { ...answer, personal: { ...answer.personal, n: Math.max(1, answer.personal.n - 1) } } }),
  "a newer version": (answer) => ({ told: { ...answer, personal: { ...answer.personal, n: answer.personal.n + 1 } } }),
  "another version under the same number": (answer) => ({ told: { ...answer, personal: { ...answer.personal, digest: answer.master.digest } } }),
  "an older Master Profile": (answer) => ({ told: { ...answer, master: { ...answer.master, version: Math.max(1, answer.master.version - 1) } } }),
  "a newer Master Profile": (answer) => ({ told: { ...answer, master: { ...answer.master, version: answer.master.version + 1 } } }),
  "another Master Profile": (answer) => ({ told: { ...answer, master: { ...answer.master, digest: answer.personal.digest } } }),
  "fewer suspensions": (answer) => ({ told: { ...answer, suspensions: Math.max(0, answer.suspensions - 1) } }),
  "other suspensions": (answer) => ({ told: { ...answer, suspended: answer.personal.digest } }),
  "more suspensions": (answer) => ({ told: { ...answer, suspensions: answer.suspensions + 1 } }),
  "a lower head": (answer, pick) => ({ told: { ...answer, heads: nth(answer.heads, pick, (head) => ({ ...head, index: Math.max(1, head.index - 1) })) } }),
  "a higher head": (answer, pick) => ({ told: { ...answer, heads: nth(answer.heads, pick, (head) => ({ ...head, index: head.index + 1 })) } }),
  "a head beyond all numbers": (answer, pick) => ({ told: { ...answer, heads: nth(answer.heads, pick, (head) => ({ ...head, index: Number.MAX_SAFE_INTEGER })) } }),
  "another head": (answer, pick) => ({ told: { ...answer, heads: nth(answer.heads, pick, (head) => ({ ...head, digest: answer.personal.digest })) } }),
  "no head of one catalog": (answer, pick) => ({ told: { ...answer, heads: answer.heads.filter((_, index) => index !== pick % answer.heads.length) } }),
  "no heads": (answer) => ({ told: { ...answer, heads: [] } }),
  "heads of catalogs exchanged": (answer) => ({ told: { ...answer, heads: answer.heads.map((head, index, all) => ({ ...head, catalog: (all[(index + 1) % all.length] ?? head).catalog })) } }),
  "every head twice": (answer) => ({ told: { ...answer, heads: [...answer.heads, ...answer.heads] } }),
  "heads in another order": (answer) => ({ told: { ...answer, heads: answer.heads.toReversed() } }),
  "an older Application Profile": (answer, pick) => ({ told: { ...answer, applications: nth(answer.applications, pick, (one) => ({ ...one, version: Math.max(1, one.version - 1) })) } }),
  "a newer Application Profile": (answer, pick) => ({ told: { ...answer, applications: nth(answer.applications, pick, (one) => ({ ...one, version: one.version + 1 })) } }),
  "that what there is not was forgotten": (answer) => ({ told: { ...answer, forgotten: answer.heads.map(({ catalog, index }) => ({ catalog, index: index + 1000 })) } }),
  "that all there is was forgotten": (answer) => ({ told: { ...answer, forgotten: answer.heads.map(({ catalog, index }) => ({ catalog, index })) } }),
  "that nothing was forgotten": (answer) => ({ told: { ...answer, forgotten: [] } }),
  "another time": (answer, pick) => ({ told: { ...answer, now: answer.now + (pick % 2 === 0 ? 100 : -100) * HOUR } }),
  "that nobody waits": (answer) => ({ told: { ...answer, pending: 0 } }),
  "that many wait": (answer) => ({ told: { ...answer, pending: 1_000_000 } }),
};

const commits = (answer: Commits) => answer.commits;
const aboutCommits: Readonly<Record<string, Lie<Commits>>> = {
  "all but the first": ifAny(commits, (answer, all) => ({ ...answer, commits: all.slice(1) })),
  "all but the last": (answer) => (answer.commits.length === 0 ? undefined : { told: { ...answer, commits: answer.commits.slice(0, -1) }, ...(answer.commits.length === 1 ? { mark: "false" as const } : {}) }),
  "none of them": ifAny(commits, (answer) => ({ ...answer, commits: [] })),
  "in another order": ifAny(commits, (answer, all) => ({ ...answer, commits: all.toReversed() }), 2),
  "the first twice": ifAny(commits, (answer, all) => ({ ...answer, commits: [...all.slice(0, 1), ...all] }), 2),
  "the first three thousand times": ifAny(commits, (answer, all) => ({ ...answer, commits: [...Array.from({ length: Math.min(FLOOD, 80) }, () => all[0] as Commits["commits"][number]), ...all] }), 2),
  "with a spoiled signature": ifAny(commits, (answer, all) => ({ ...answer, commits: nth(all, 0, (one) => ({ ...one, commit: spoiled(one.commit) })) })),
  "with the signature of another": ifAny(commits, (answer, all) => ({ ...answer, commits: all.map((one, index) => ({ ...one, commit: { ...one.commit, signature: (all[(index + 1) % all.length] ?? one).commit.signature } })) }), 2),
  "without bodies": (answer) => (answer.commits[0]?.body === undefined ? undefined : { told: { ...answer, commits: answer.commits.map(({ commit }) => ({ commit })) }, mark: "false" }),
  "with half a body": (answer) => (answer.commits[0]?.body === undefined ? undefined : { told: { ...answer, commits: nth(answer.commits, 0, (one) => ({ ...one, body: (one.body ?? "").slice(0, 400) })) }, mark: "false" }),
  "with another's body": (answer, pick) => {
    const bodies = answer.commits.flatMap((one) => one.body ?? []);
    const other = bodies[1 + (pick % Math.max(1, bodies.length - 1))];
    return answer.commits[0]?.body === undefined || other === undefined || other === answer.commits[0].body ? undefined : { told: { ...answer, commits: nth(answer.commits, 0, (one) => ({ ...one, body: other })) }, mark: "false" };
  },
  "that they were forgotten, by nobody's word": (answer) => (answer.commits.length === 0 && answer.releases === undefined ? undefined : { told: { ...answer, commits: [], more: false, releases: [] }, mark: "false" }),
  "releases with a spoiled signature": (answer) => (answer.releases === undefined || answer.releases.length === 0 ? undefined : { told: { ...answer, releases: answer.releases.map(spoiled) }, mark: "false" }),
  "that there are more": (answer) => ({ told: { ...answer, more: true } }),
  "that there are no more": (answer) => ({ told: { ...answer, more: false } }),
};

const personals = (answer: Profiles) => answer.personals;
const aboutProfiles: Readonly<Record<string, Lie<Profiles>>> = {
  "no versions": ifAny(personals, (answer) => ({ ...answer, personals: [] })),
  "all versions but the first": ifAny(personals, (answer, all) => ({ ...answer, personals: all.slice(1) })),
  "all versions but the last": (answer) => (answer.personals.length === 0 ? undefined : { told: { ...answer, personals: answer.personals.slice(0, -1) }, ...(answer.personals.length === 1 && answer.suspensions.length + answer.masters.length === 0 ? { mark: "false" as const } : {}) }),
  "versions in another order": ifAny(personals, (answer, all) => ({ ...answer, personals: all.toReversed() }), 2),
  "versions with a spoiled signature": ifAny(personals, (answer, all) => ({ ...answer, personals: nth(all, 0, (one) => ({ ...one, object: spoiled(one.object) })) })),
  "versions that arrived at another time": (answer, pick) => ({ told: { ...answer, personals: answer.personals.map((one) => ({ ...one, arrived: one.arrived + (pick % 2 === 0 ? 100 : -100) * HOUR })) } }),
  "no Device Profiles": ifAny((answer) => answer.devices, (answer) => ({ ...answer, devices: [] })),
  "Device Profiles with a spoiled signature": ifAny((answer) => answer.devices, (answer, all, pick) => ({ ...answer, devices: nth(all, pick, spoiled) })),
  "no Master Profiles": ifAny((answer) => answer.masters, (answer) => ({ ...answer, masters: [] })),
  "no suspensions": ifAny((answer) => answer.suspensions, (answer) => ({ ...answer, suspensions: [] })),
  "suspensions with a spoiled signature": ifAny((answer) => answer.suspensions, (answer, all) => ({ ...answer, suspensions: nth(all, 0, (one) => ({ ...one, object: spoiled(one.object) })) })),
  "no Application Profiles": ifAny((answer) => answer.applications, (answer) => ({ ...answer, applications: [] })),
  "Application Profiles with a spoiled signature": ifAny((answer) => answer.applications, (answer, all) => ({ ...answer, applications: nth(all, 0, spoiled) })),
  "every one three thousand times": (answer) => ({ told: { ...answer, suspensions: flooded(answer.suspensions), devices: flooded(answer.devices) } }),
};

const aboutPending: Readonly<Record<string, Lie<ResponseOf<typeof connectPending>>>> = {
  "no requests": (answer) => ({ told: { ...answer, requests: [] } }),
  "requests with a spoiled signature": ifAny((answer) => answer.requests, (_, all) => ({ requests: nth(all, 0, (one) => ({ ...one, request: spoiled(one.request) })) })),
  "every request twice": (answer) => ({ told: { requests: [...answer.requests, ...answer.requests] } }),
};

const aboutAnswer: Readonly<Record<string, Lie<ResponseOf<typeof connectStatus>>>> = {
  "that nobody answered": () => ({ told: { state: "pending" } }),
  "an answer with a spoiled signature": (answer) => (answer.answer === undefined ? undefined : { told: { ...answer, answer: spoiled(answer.answer) }, mark: "false" }),
};

const aboutAccount: Readonly<Record<string, Lie<ResponseOf<typeof get>>>> = {
  "no Master Profiles of it": (answer) => ({ told: { ...answer, masters: [] }, mark: "false" }),
  "an account with a spoiled signature": (answer) => ({ told: { ...answer, account: spoiled(answer.account) }, mark: "false" }),
};

/** Lies about the octets behind an answer; they are always false. */
const aboutBlobs: Readonly<Record<string, (octets: Uint8Array, pick: number) => Uint8Array>> = {
  "octets of which one is another": (octets, pick) => octets.map((octet, index) => (index === (pick * 997) % octets.length ? octet ^ 1 : octet)),
  "fewer octets": (octets, pick) => octets.subarray(0, Math.floor((octets.length * pick) / 8)),
  "more octets": (octets) => new Uint8Array([...octets, ...octets]),
};

/** Lies about the digests of commits; they are always false, since there are two at least. */
const aboutTrail: typeof aboutBlobs = {
  "a digest of which one octet is another": (octets, pick) => octets.map((octet, index) => (index === (pick * 997) % 64 ? octet ^ 1 : octet)),
  "two digests exchanged": (octets) => new Uint8Array([...octets.subarray(64, 128), ...octets.subarray(0, 64), ...octets.subarray(128)]),
  "half a digest too few": (octets) => octets.subarray(0, octets.length - 32),
  "no digests": (octets) => octets.subarray(0, 0),
};

/** Lies about the octets behind answers, by the command. */
export const octetLies: Readonly<Record<string, typeof aboutBlobs>> = { CatalogTrail: aboutTrail, GetBlob: aboutBlobs };

function flooded<T>(items: readonly T[]): T[] {
  return Array.from({ length: Math.floor(FLOOD / 30) }, () => items).flat();
}

/** Every lie, by the command that it answers. */
export const lies: Readonly<Record<string, Readonly<Record<string, Lie<never>>>>> = {
  Status: aboutStatus,
  CatalogRead: aboutCommits,
  GetProfiles: aboutProfiles,
  ConnectPending: aboutPending,
  ConnectStatus: aboutAnswer,
  Get: aboutAccount,
  ...(octetLies as object),
} as never;
