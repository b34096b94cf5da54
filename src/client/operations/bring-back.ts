import type { Mesh } from "../../profiles/mesh.ts";
import { latest } from "../../profiles/history.ts";
import { compareVersions, isAfter, type Version } from "../../profiles/version.ts";
import { catalogAppend } from "../../protocol/catalogs.ts";
import type { ResponseOf } from "../../protocol/command.ts";
import type { Part, SentCommit } from "../../protocol/parts.ts";
import { publish, status } from "../../protocol/profiles.ts";
import { RefusedByPortal } from "../../protocol/wire.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { acknowledgedOf, forgetAcknowledged } from "../acknowledged.ts";
import { type Client, memberSelf } from "../client.ts";
import { loadCatalogs, loadMesh } from "../known.ts";
import { meetPortal, type PortalLink, type Requester } from "../portal-link.ts";
import { recentAfter } from "../recent.ts";

type Answer = ResponseOf<typeof status>;

/** The commits of one catalog that a portal lacks, oldest first. */
type Queue = { readonly catalog: string; readonly commits: SentCommit[] };

/** A refusal that may be over once something else was given back. */
const NOT_YET = /^(?:commit|profile|signer)-/;

/**
 * Gives a portal that lost its last days what this device has and it has not: profiles, suspensions and commits, octet for octet as
 * they were. Returns how many things it took.
 *
 * Nothing here is changed, and everything given was signed when it was made: whoever lies about a loss gains nothing. Refuses with
 * `portal-forked-catalog` where another device wrote since, and with `catalog-not-kept` where this device does not hold the whole way.
 */
export async function bringBack(client: Client): Promise<number> {
  const self = await memberSelf(client);
  const link = await meetPortal(client, self.portal.url, self.portal.id);
  try {
    const requester = { device: self.device, master: self.master, authenticationKey: self.authenticationKey };
    const answer = await link.call(requester, status, {});
    const mesh = await client.rows.read((rows) => loadMesh(rows, self.master));
    const steps = stepsFor(mesh, answer);
    const queues = await queuesFor(client, mesh, self.device, answer);
    return (await give(link, requester, steps, queues)) + (await giveAcknowledged(client, link, requester, mesh));
  } finally {
    link.close();
  }
}

/** What is missing of the mesh, in the order in which it came: each step is one batch. */
function stepsFor(mesh: Mesh, answer: Answer): Part[][] {
  const missing = mesh.history.filter(({ profile }) => isAfter(profile.payload, answer.personal));
  const there = mesh.history.filter(({ profile }) => !isAfter(profile.payload, answer.personal));
  const listed = new Set(there.flatMap(({ profile }) => profile.payload.devices.map((device) => device.id)));
  const suspensions = mesh.suspensions.slice(answer.suspensions);
  const steps: Part[][] = [];
  const suspend = (before: Version | undefined): void => {
    const due = suspensions.filter(({ object }) => before === undefined || compareVersions(object.payload, before) < 0);
    for (const { object } of suspensions.splice(0, due.length)) steps.push([{ kind: "suspension", object: object.jws }]);
  };
  for (const { profile } of missing) {
    suspend(profile.payload);
    const parts: Part[] = [];
    // The first version under a new Master Profile may be of any number that was not used up.
    const begins = mesh.history.find((one) => one.profile.payload.g === profile.payload.g)?.profile === profile;
    const master = begins ? mesh.masters[profile.payload.g - 1] : undefined;
    if (master !== undefined && profile.payload.g > answer.master.version) parts.push({ kind: "master", object: master.jws });
    for (const { id } of profile.payload.devices) {
      const device = mesh.devices.get(id);
      if (device !== undefined && !listed.has(id)) parts.push({ kind: "device", object: device.jws });
      listed.add(id);
    }
    steps.push([...parts, { kind: "personal", object: profile.jws }]);
  }
  suspend(undefined);
  return steps;
}

async function queuesFor(client: Client, mesh: Mesh, device: string, answer: Answer): Promise<Queue[]> {
  return client.rows.read(async (rows) => {
    const readable = (latest(mesh.history)?.payload.applications ?? []).filter((one) => one.readers.some((reader) => reader === device));
    const queues: Queue[] = [];
    for (const [catalog, { chain }] of await loadCatalogs(rows, readable)) {
      const head = answer.heads.find((one) => one.catalog === catalog);
      const index = head?.index ?? 0;
      const known = head === undefined ? undefined : await rows.get<{ digest: string }>("digests", catalog, index);
      demand(known === undefined || known.digest === head?.digest, "portal-forked-catalog", "Another device has written to the portal since it was restored: what this one has cannot be put behind that.", "Nothing here was changed. See docs/operating.md on restoring.");
      if (index >= chain.index) continue;
      const commits = [...(await recentAfter(rows, catalog, index, chain.index))];
      demand(commits.length === chain.index - index, "catalog-not-kept", `The portal lost ${chain.index - index} commits of a catalog, and this device keeps only the newest as they were.`, "Try it on your other devices; else ask the operator for a newer backup.");
      queues.push({ catalog, commits });
    }
    return queues;
  });
}

/**
 * Gives commits as early as the portal takes them, and one step of the mesh where it takes no more: so each commit is judged by the
 * state in which it was made, before its author was cut off.
 */
async function give(link: PortalLink, requester: Requester, steps: Part[][], queues: readonly Queue[]): Promise<number> {
  let given = 0;
  for (;;) {
    let stuck: unknown;
    for (const { commits } of queues) {
      for (let next = commits[0]; next !== undefined; next = commits[0]) {
        const commit = next;
        const refused = await attempt(() => link.call(requester, catalogAppend, { commits: [commit] }));
        stuck ??= refused;
        if (refused !== undefined) break;
        commits.shift();
        given += 1;
      }
    }
    const step = steps.shift();
    if (step === undefined) {
      if (queues.every(({ commits }) => commits.length === 0)) return given;
      throw stuck;
    }
    await link.call(requester, publish, { parts: step });
    given += step.length;
  }
}

/** Gives what was acknowledged before this device ever saw it, and holds the portal to it no more: where another change stands in its place, that one counts. */
async function giveAcknowledged(client: Client, link: PortalLink, requester: Requester, mesh: Mesh): Promise<number> {
  const known = new Set<string>([...mesh.history.map(({ profile }) => profile.digest), ...mesh.suspensions.map(({ object }) => object.digest)]);
  const acknowledged = await client.rows.read((rows) => acknowledgedOf(rows));
  let given = 0;
  for (const { digest, parts } of acknowledged) if (!known.has(digest) && (await attempt(() => link.call(requester, publish, { parts }))) === undefined) given += parts.length;
  await client.rows.transact((rows) => forgetAcknowledged(rows, acknowledged));
  return given;
}

async function attempt(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof RefusedByPortal) || !NOT_YET.test(error.code)) throw error;
    return error;
  }
}
