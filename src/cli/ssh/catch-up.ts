import type { Host } from "../../applications/ssh/host.ts";
import type { Client } from "../../client/client.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { dueKeys } from "./due-keys.ts";
import { writeFiles } from "./files.ts";
import type { HostState } from "./host-state.ts";
import { bringInStep, readHosts, staleHosts } from "./in-step.ts";
import type { Reach } from "./reach.ts";
import { noteEnded, writeSigning } from "./signers.ts";

/** When this device last tried a server in vain. */
type TriedRow = { readonly at: number };

/** Milliseconds after which one is tried again beside something else: a server that is off does not slow down every sync. */
const PAUSE = 10 * 60_000;

/**
 * Brings the servers in step that are known not to be, less those that were tried in vain a moment ago, and renews the files of this device's ssh.
 *
 * It costs one read where SSH is not set up. The caller has asked its portal just before; what was noted goes with its next sync.
 */
export async function catchUp(client: Client, reach: Reach): Promise<readonly HostState[]> {
  if (!(await isSetUp(client))) return [];
  const hosts = await readHosts(client);
  await writeFiles(client, reach, hosts, "only-kept");
  await noteEnded(client);
  await writeSigning(client, reach, "only-kept").catch(unlessMissing);
  const due = await dueKeys(client).catch(unlessMissing);
  if (due === undefined) return [];
  const lately = await client.rows.read((rows) => Promise.all(hosts.map((host) => rows.get<TriedRow>("tried", host.id))));
  const waits = (host: Host): boolean => {
    const at = lately[hosts.indexOf(host)]?.at;
    // A clock that was set back keeps nothing waiting.
    return at !== undefined && Math.abs(client.now() - at) < PAUSE;
  };
  return bring(client, reach, staleHosts(hosts, due).filter((host) => !waits(host)));
}

/** The names of the servers that are known not to be in step. */
export async function owedServers(client: Client): Promise<readonly string[]> {
  const due = await dueKeys(client).catch(unlessMissing);
  return due === undefined ? [] : staleHosts(await readHosts(client), due).map((host) => host.name);
}

/** Brings all servers in step, whatever is known of them and whenever they were tried. */
export async function bringAll(client: Client, reach: Reach): Promise<readonly HostState[]> {
  return (await isSetUp(client)) ? bring(client, reach, await readHosts(client)) : [];
}

async function bring(client: Client, reach: Reach, hosts: readonly Host[]): Promise<readonly HostState[]> {
  const states = await bringInStep(client, reach, hosts, "write");
  if (hosts.length > 0) {
    await client.rows.transact(async (rows) => {
      for (const [index, host] of hosts.entries()) {
        if (states[index]?.trouble === undefined) await rows.remove("tried", host.id, "");
        else await rows.put("tried", host.id, "", { at: client.now() } satisfies TriedRow);
      }
    });
  }
  return states;
}

async function isSetUp(client: Client): Promise<boolean> {
  return (await client.rows.read((rows) => rows.get("types", "ssh"))) !== undefined;
}

/** No key counts yet: nothing is due. */
function unlessMissing(error: unknown): undefined {
  if (error instanceof MeshError && error.code === "share-missing") return undefined;
  throw error;
}
