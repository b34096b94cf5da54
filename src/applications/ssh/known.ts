import type { Json } from "../../bytes/canonical-json.ts";
import type { Change } from "../../catalogs/entries.ts";
import { type EntryId, newEntryId } from "../../catalogs/entry-id.ts";
import { change, current, type Entry, isRemoved, REMOVED } from "../../catalogs/merge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { HOST_KEY, hostKeysOf } from "./host.ts";
import { keyLine, type PublicKey } from "./public-key.ts";

/** A key that a host was confirmed to have; `host` as known_hosts names it: a name or address, in brackets with its port if that is not 22. */
export type Confirmed = { readonly host: string; readonly key: PublicKey };

/** A host that one device confirmed and all know: the common known_hosts. */
export type Known = { readonly id: EntryId; readonly host: string; readonly keys: readonly PublicKey[] };

/** A host whose key on this device is another than the one that all know. */
export type Conflict = { readonly host: string; readonly kind: string; readonly listed: PublicKey; readonly found: PublicKey };

// It gets into a file of SSH: no pattern, no blank, no mark.
const KNOWN = /^(?:[A-Za-z0-9_][A-Za-z0-9_.:-]{0,254}|\[[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,254}\]:\d{1,5})$/;

/** Whether a text can name one host in a known_hosts, and nothing else. */
export function isKnownName(text: string): boolean {
  return KNOWN.test(text);
}

/** How known_hosts names a host at a port. */
export function knownName(host: string, port: number): string {
  return (port === 22 ? host : `[${host}]:${port}`).toLowerCase();
}

/** The hosts that all devices know, by name; of two entries of one host the keys of both count. */
export function knownsOf(entries: readonly Entry[]): readonly Known[] {
  return entries.flatMap((entry) => {
    const host = nameOf(entry);
    return host === undefined || isRemoved(entry) ? [] : [{ id: entry.id, host, keys: hostKeysOf(entry) }];
  }).sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.id < b.id ? -1 : 1));
}

/**
 * What a device's own known_hosts adds to the common list, and where the two differ.
 *
 * A key that is another than the listed one of its kind is never taken: whoever stands between would be believed everywhere. What a person took off the
 * list does not come back by a file in which it still stands; another key of that host does.
 */
export function takeKnown(entries: readonly Entry[], confirmed: readonly Confirmed[]): { readonly changes: readonly Change[]; readonly added: readonly Confirmed[]; readonly conflicts: readonly Conflict[] } {
  const isSame = (a: PublicKey) => (b: PublicKey): boolean => keyLine(a) === keyLine(b);
  const [changes, added, conflicts]: [Change[], Confirmed[], Conflict[]] = [[], [], []];
  for (const [host, found] of Map.groupBy(confirmed, (one) => one.host)) {
    const own = entries.filter((entry) => nameOf(entry) === host);
    const live = own.filter((entry) => !isRemoved(entry));
    const [listed, gone] = [live.flatMap(hostKeysOf), own.filter(isRemoved).flatMap(hostKeysOf)];
    const fresh: PublicKey[] = [];
    for (const [kind, keys] of Map.groupBy(found.map((one) => one.key), (key) => key.kind)) {
      const there = listed.filter((one) => one.kind === kind);
      // Among several of one kind any that is listed will do: ssh takes each.
      const other = keys.find((key) => !gone.some(isSame(key)));
      if (other === undefined || keys.some((key) => there.some(isSame(key)))) continue;
      if (there[0] === undefined) fresh.push(other);
      else conflicts.push({ host, kind, listed: there[0], found: other });
    }
    if (fresh.length === 0) continue;
    const entry = live[0];
    changes.push(change(entry?.id ?? newEntryId(), entry, { ...(entry === undefined ? { kind: "known", host } : {}), ...Object.fromEntries(fresh.map((key): [string, Json] => [`${HOST_KEY}${key.kind}`, keyLine(key)])) }));
    added.push(...fresh.map((key) => ({ host, key })));
  }
  return { changes, added, conflicts };
}

/**
 * The changes that take a host off the common list, in whatever port it is named.
 * @throws MeshError `ssh-host-not-found`
 */
export function forgetKnown(entries: readonly Entry[], wanted: string): readonly Change[] {
  const host = wanted.toLowerCase();
  const named = entries.filter((entry) => nameOf(entry) === host && !isRemoved(entry));
  if (named.length === 0) throw new MeshError("ssh-host-not-found", `${JSON.stringify(wanted)} is not among the hosts that your devices know.`, "Say it as `mesh ssh known list` does.");
  return named.map((entry) => change(entry.id, entry, { [REMOVED]: true }));
}

function nameOf(entry: Entry): string | undefined {
  const host = current(entry, "host");
  return current(entry, "kind") === "known" && typeof host === "string" && isKnownName(host) ? host : undefined;
}
