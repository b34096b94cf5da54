import { type Found, readBlock, showAsOf, withKeys } from "../../applications/ssh/block.ts";
import { noteApplied, pinHost } from "../../applications/ssh/edit-host.ts";
import { type Applied, type Host, hostsOf } from "../../applications/ssh/host.ts";
import { editEntries, readEntries } from "../../client/catalog.ts";
import { type Client, memberSelf } from "../../client/client.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { fetchHostKey } from "./ask-ssh.ts";
import { type DueKeys, dueKeys } from "./due-keys.ts";
import type { Brought, HostState, Noted, Seen, ToBring } from "./host-state.ts";
import { bringManaged } from "./managed.ts";
import { editRemote, type Reach } from "./reach.ts";
import { tried } from "./tried.ts";

/** The servers that do not have the keys that are due, by what any device noted. */
export function staleHosts(hosts: readonly Host[], due: DueKeys): readonly Host[] {
  return hosts.filter((host) => (host.way === "plain" ? !isSame(host.applied?.keys, due.fingerprints) : !isSame(host.applied?.keys, due.lists) || due.certifies(host)));
}

/** The servers of this mesh. */
export async function readHosts(client: Client): Promise<readonly Host[]> {
  return hostsOf(await readEntries(client, "ssh"));
}

/**
 * Brings servers in step, all at once, or with `look` only sees how they stand; and notes that among the entries.
 *
 * One that cannot be reached, or fails, holds up no other. The caller has asked its portal just before.
 */
export async function bringInStep(client: Client, reach: Reach, hosts: readonly Host[], how: "write" | "look"): Promise<readonly HostState[]> {
  if (hosts.length === 0) return [];
  const due = await dueKeys(client);
  const brought = await Promise.all(hosts.map(async (host) => {
    try {
      const one = await bringOne(client, host, due, reach, how);
      return { ...one, id: host.id, state: how === "look" ? await tried(client, host, one.state, due, reach) : one.state };
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      return { state: { name: host.name, way: host.way, state: error.code === "ssh-host-unreachable" ? "unreachable" : "failed", missing: [], surplus: [], others: [], newOthers: [], trouble: error } satisfies HostState };
    }
  }));
  await note(client, brought.flatMap((one) => ("id" in one ? [one] : [])));
  return brought.map((one) => one.state);
}

/** Brings one server in step, and says how it stood and what is to be noted; throws what stands in the way. `before` runs before anything on it changes. */
export async function bringOne(client: Client, host: ToBring, due: DueKeys, reach: Reach, how: "write" | "look", before?: () => Promise<void>): Promise<Brought> {
  const { found, met, written, ...seen } = host.way === "plain" ? await bringPlain(host, due, reach, how, before) : await bringManaged(client, host, due, reach, how, before);
  const { missing, surplus, asOf, keys } = seen;
  const { others } = found;
  const state = missing.length + surplus.length === 0 ? "in-step" : written ? "brought-in-step" : "stale";
  const { device } = await memberSelf(client);
  const applied: Applied = { at: new Date(client.now()).toISOString(), by: device, keys, asOf, others, ...(seen.certified === undefined ? {} : { certified: seen.certified }) };
  const hostKey = host.hostKeys.length === 0 && met !== undefined ? await fetchHostKey(host, met, reach.environment).catch(unlessMissing) : undefined;
  const newOthers = others.filter((one) => host.applied !== undefined && !host.applied.others.includes(one));
  return { applied, hostKey, state: { name: host.name, way: host.way, state, missing, surplus, others, newOthers } };
}

async function bringPlain(host: ToBring, due: DueKeys, reach: Reach, how: "write" | "look", before?: () => Promise<void>): Promise<Seen> {
  let found: Found | undefined;
  let written = false;
  const met = await editRemote(reach, host, async ({ text = "" }) => {
    found = readBlock(text, host.block);
    if (how === "look") return undefined;
    const next = withKeys(text, host.block, due.keys.map((one) => one.key), due.asOf);
    await before?.();
    written = next !== text;
    return written ? next : undefined;
  });
  if (found === undefined) throw new TypeError("A server was read without being looked at.");
  const { asOf = due.asOf, keys = [] } = found;
  const missing = due.fingerprints.filter((one) => !keys.includes(one));
  const surplus = keys.filter((one) => !due.fingerprints.includes(one));
  return { found, met, written, missing, surplus, keys: how === "look" ? keys : due.fingerprints, asOf: showAsOf(how === "look" ? asOf : due.asOf) };
}

/** Notes what was found and written, with the next sync for the other devices. */
export async function note(client: Client, noted: readonly (Noted & { readonly id: string })[]): Promise<void> {
  if (noted.length === 0) return;
  await editEntries(client, "ssh", (entries) => noted.flatMap(({ id, applied, hostKey }) => {
    const entry = entries.find((one) => one.id === id);
    if (entry === undefined) return [];
    return [noteApplied(entry, applied), hostKey === undefined ? undefined : pinHost(entry, [hostKey])].filter((change) => change !== undefined);
  }));
}

/** Without ssh-keyscan the person's own ssh goes on deciding. */
function unlessMissing(error: unknown): undefined {
  if (error instanceof MeshError && error.code === "program-missing") return undefined;
  throw error;
}

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.join() === b.join();
}
