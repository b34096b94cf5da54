import type { Client } from "../../client/client.ts";
import { listDevices } from "../../client/devices.ts";
import type { Receipt } from "../../client/operations/disable.ts";
import { counted } from "../counted.ts";
import { bringAll } from "./catch-up.ts";
import type { HostState } from "./host-state.ts";
import { readHosts } from "./in-step.ts";
import type { Reach } from "./reach.ts";
import { noteEnded } from "./signers.ts";

/**
 * Takes a device's key off every server that can be reached, after it was disabled, and adds to the receipt how each stands (decision 5.4).
 *
 * What cannot be done now stays owed: any device that reaches the server does it with a sync of its own.
 */
export async function cutOffFromServers(client: Client, reach: Reach, wanted: string, receipt: Receipt): Promise<Receipt> {
  if ((await client.rows.read((rows) => rows.get("types", "ssh"))) === undefined) return receipt;
  const noted = await noteEnded(client);
  const hosts = await readHosts(client);
  if (hosts.length === 0) return noted ? { ...receipt } : receipt;
  const devices = await listDevices(client);
  const name = devices.find((device) => device.fingerprint === wanted)?.name ?? wanted;
  // This device fell together with the other, and its portal tells it no more: who of the two may log in is decided by who stands above both.
  if (devices.some((device) => device.this ? device.status !== "active" : [device.name, device.fingerprint].includes(wanted) && device.status === "active")) return { ...receipt, pending: [...receipt.pending, `${counted(hosts.length, "server")} still ${hosts.length === 1 ? "lets" : "let"} ${name} in: a device that stands above both takes its key out`] };
  const states = await bringAll(client, reach);
  const open = states.some((one) => one.trouble === undefined) ? [`sessions that ${name} has open on a server go on until they end: look there with \`who\``] : [];
  return { done: [...receipt.done, ...states.flatMap((one) => doneOf(one, name))], pending: [...receipt.pending, ...states.flatMap((one) => pendingOf(one, name)), ...open] };
}

function doneOf({ name, trouble }: HostState, device: string): readonly string[] {
  return trouble === undefined ? [`${name} does not let ${device} in any more`] : [];
}

function pendingOf({ name, newOthers, trouble }: HostState, device: string): readonly string[] {
  const fresh = newOthers.length === 0 ? [] : [`${counted(newOthers.length, "line")} in authorized_keys of ${name} outside the block ${newOthers.length === 1 ? "is" : "are"} new: see that ${device} did not leave ${newOthers.length === 1 ? "it" : "them"} (mesh ssh check)`];
  return trouble === undefined ? fresh : [`${name} still lets ${device} in until one of your devices reaches it (mesh ssh host sync): ${trouble.message}${trouble.exit === 6 && trouble.hint !== undefined ? ` ${trouble.hint}` : ""}`];
}
