import { toBase64url } from "../bytes/base64url.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type EpochEntry, type LogEntry, readEntry } from "./entry.ts";
import { type MapKind, mapKey, type MapValue } from "./map.ts";
import { readMapProof, rootFromProof, valueIn } from "./map-proof.ts";
import { OctetReader } from "./octets.ts";
import { changeOf, checkEpoch, checkSuccession, pair } from "./succession.ts";

/** Of which kinds it takes the newest to judge an entry: its own, and the Master Profile, under which versions are. */
export function kindsFor(last: Uint8Array): readonly { readonly kind: MapKind; readonly id: string }[] {
  try {
    const change = changeOf(readEntry(last), 0);
    return change === undefined ? [] : [...new Set<MapKind>([change.kind, "master"])].map((kind) => ({ kind, id: change.id }));
  } catch {
    // What does not read is judged by itself.
    return [];
  }
}

/**
 * Whether the last of some entries is one that no honest log has after the others (`docs/spec/log.md` 8.1): they are all from an epoch leaf on, or from the log's
 * first, and `ways` show what the map under that epoch has of {@link kindsFor} the last, in their order.
 */
export function breaksRules(entries: readonly Uint8Array[], isFirst: boolean, ways: readonly Uint8Array[]): boolean {
  const [last] = entries.slice(-1);
  if (last === undefined) return false;
  const begun = isFirst ? undefined : entryIn(entries[0] as Uint8Array);
  if (!isFirst && (begun?.k !== "epoch" || entries.length < 2)) return false;
  const newest = newestUnder(begun?.k === "epoch" ? begun : undefined, kindsFor(last), ways);
  if (newest === undefined) return false;
  let epoch = begun?.k === "epoch" ? begun : undefined;
  const unpaired = new Set<string>();
  for (const octets of isFirst ? entries : entries.slice(1)) {
    const entry = entryIn(octets);
    if (entry === undefined) return true;
    if (!follows(entry, epoch, newest, unpaired)) return true;
    if (entry.k === "epoch") epoch = entry;
  }
  return false;
}

/** Takes an entry in; false if it breaks a rule that can be judged by what is known. */
function follows(entry: LogEntry, epoch: EpochEntry | undefined, newest: Map<string, MapValue | undefined>, unpaired: Set<string>): boolean {
  try {
    if (entry.k === "epoch") checkEpoch(entry, epoch, unpaired);
    const change = changeOf(entry, 0);
    if (change === undefined || !("id" in entry)) return true;
    const [own, master] = [`${change.kind}/${change.id}`, `master/${change.id}`];
    if (newest.has(own) && newest.has(master)) checkSuccession(entry, newest.get(own), newest.get(master));
    if (newest.has(own)) newest.set(own, change.value);
    pair(unpaired, entry);
    return true;
  } catch (error) {
    if (error instanceof MeshError) return false;
    throw error;
  }
}

/** What is the newest when the entries begin; undefined if the ways do not show it. */
function newestUnder(epoch: EpochEntry | undefined, kinds: ReturnType<typeof kindsFor>, ways: readonly Uint8Array[]): Map<string, MapValue | undefined> | undefined {
  if (epoch === undefined) return ways.length === 0 ? new Map(kinds.map(({ kind, id }) => [`${kind}/${id}`, undefined])) : undefined;
  const newest = new Map<string, MapValue | undefined>();
  if (ways.length !== kinds.length) return undefined;
  for (const [at, { kind, id }] of kinds.entries()) {
    const [key, reader] = [mapKey(kind, id), new OctetReader(ways[at] as Uint8Array)];
    const way = readMapProof(key, reader);
    const root = way === undefined || !reader.isAtEnd ? undefined : rootFromProof(key, way);
    if (way === undefined || root === undefined || toBase64url(root) !== epoch.map) return undefined;
    newest.set(`${kind}/${id}`, valueIn(key, way));
  }
  return newest;
}

function entryIn(octets: Uint8Array): LogEntry | undefined {
  try {
    return readEntry(octets);
  } catch {
    return undefined;
  }
}
