import type { Json } from "../../bytes/canonical-json.ts";
import type { Change } from "../../catalogs/entries.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { change, current, type Entry, REMOVED } from "../../catalogs/merge.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { type Applied, type Host, HOST_KEY, hostOf, hostsOf, isHostName } from "./host.ts";
import { keyLine, type PublicKey } from "./public-key.ts";

/** Where a server is. */
export type Place = Pick<Host, "host" | "port" | "user" | "typed">;

/**
 * The server that a place is, if it is known; and the name that it has or is to have.
 * @throws MeshError `ssh-name-taken`, `ssh-target-malformed` for a name that cannot stand in a file of SSH
 */
export function namedPlace(entries: readonly Entry[], place: Place, wanted: string | undefined): { readonly known: Host | undefined; readonly name: string } {
  const hosts = hostsOf(entries);
  const known = hosts.find((one) => one.host === place.host && one.port === place.port && one.user === place.user);
  const name = wanted ?? known?.name ?? place.typed.toLowerCase();
  demand(isHostName(name), "ssh-target-malformed", `${JSON.stringify(name)} cannot be the name of a server.`, "Give one of small letters, digits, dots and dashes: --name server1");
  const taken = hosts.find((one) => one.name === name && one.id !== known?.id);
  demand(taken === undefined, "ssh-name-taken", `There is already a server named ${JSON.stringify(name)}: ${taken?.user}@${taken?.host}, port ${taken?.port}.`, "Give this one another name with --name.");
  return { known, name };
}

/** The change that has a server of this name at this place, its block named so; undefined if it is so already. The same place twice is one server, and a managed one stays so. */
export function placeHost(entries: readonly Entry[], place: Place, wanted: string | undefined, block: string, managed?: Pick<Host, "sshdConfig">): { readonly id: string; readonly change: Change | undefined } {
  const { known, name } = namedPlace(entries, place, wanted);
  // What stands on the server under another name of the block stays ours.
  return edited(entries, known?.id, { kind: "host", ...(managed === undefined ? { way: known?.way ?? "plain" } : { way: "managed", "sshd-config": managed.sshdConfig }), ...place, name, block: known?.block ?? block });
}

/** The change by which a server is known by these keys and no others; undefined if it is so already. */
export function pinHost(entry: Entry, keys: readonly PublicKey[]): Change | undefined {
  const gone = Object.keys(entry.fields).filter((field) => field.startsWith(HOST_KEY)).map((field): [string, Json] => [field, null]);
  return edited([entry], entry.id, { ...Object.fromEntries(gone), ...Object.fromEntries(keys.map((key) => [`${HOST_KEY}${key.kind}`, keyLine(key)])) }).change;
}

/** The change that notes what was written on a server, or found there; undefined where that is known but for the time. */
export function noteApplied(entry: Entry, applied: Applied): Change | undefined {
  const before = hostOf(entry)?.applied;
  const said = ({ keys, asOf, others, certified }: Applied) => JSON.stringify([keys, asOf, others, certified]);
  return before !== undefined && said(before) === said(applied) ? undefined : change(entry.id, entry, { applied: applied as unknown as Json });
}

/** The change that takes a server off the list; what it held stays in its history. */
export function removeHost(entry: Entry): Change {
  return change(entry.id, entry, { [REMOVED]: true });
}

function edited(entries: readonly Entry[], id: string | undefined, values: Readonly<Record<string, Json>>): { readonly id: string; readonly change: Change | undefined } {
  const entry = entries.find((one) => one.id === id);
  const differing = Object.entries(values).filter(([field, value]) => entry === undefined || (current(entry, field) ?? null) !== value);
  const made = entry?.id ?? newEntryId();
  return { id: made, change: differing.length === 0 ? undefined : change(made, entry, Object.fromEntries(differing)) };
}
