import { toBase64url } from "../bytes/base64url.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type EpochEntry, type LogEntry, readEntry } from "./entry.ts";
import { type MapKind, mapKey, type MapValue } from "./map.ts";
import { type MapProof, readMapProof, rootFromProof, rootWith, valueIn } from "./map-proof.ts";
import { OctetReader } from "./octets.ts";
import { type Change, changeOf, checkEpoch, checkSuccession, pair } from "./succession.ts";

/** What the map tells of: an identifier, and of which kind. */
type Label = Pick<Change, "kind" | "id">;

/**
 * Of what it takes the newest to judge the last of some entries: of what that makes the newest and of its Master Profile, under which versions are; of an epoch leaf, which
 * commits to a map, of all that the entries between it and the first make the newest, in their order.
 */
export function labelsFor(entries: readonly Uint8Array[]): readonly Label[] {
  const last = entryIn(entries.at(-1) ?? new Uint8Array(0));
  // What does not read is judged by itself.
  if (last === undefined) return [];
  const changes = (last.k === "epoch" ? entries.map(entryIn) : [last]).flatMap((entry) => (entry === undefined ? [] : (changeOf(entry, 0) ?? [])));
  const labels = last.k === "epoch" ? changes : changes.flatMap(({ id, kind }): readonly Label[] => [{ id, kind }, { id, kind: "master" }]);
  return [...new Map(labels.map(({ id, kind }) => [nameOf({ id, kind }), { id, kind }])).values()];
}

/**
 * Whether the last of some entries is one that no honest log has after the others (`docs/spec/log.md` 8.1): they stand there from an index on, the first is an epoch leaf or the log's
 * first, and `ways` show what the map under that epoch has of {@link labelsFor} them, in their order.
 */
export function breaksRules(entries: readonly Uint8Array[], from: number, ways: readonly Uint8Array[]): boolean {
  const begun = from === 0 ? undefined : entryIn(entries[0] ?? new Uint8Array(0));
  if (from > 0 && (begun?.k !== "epoch" || entries.length < 2)) return false;
  const shown = shownBy(ways, begun?.k === "epoch" ? begun : undefined, labelsFor(entries));
  if (shown === undefined) return false;
  const newest = new Map<string, MapValue | undefined>([...shown].map(([name, { before, key }]) => [name, valueIn(key, before)]));
  let epoch = begun?.k === "epoch" ? begun : undefined;
  let closed = 0;
  const unpaired = new Set<string>();
  for (const octets of from === 0 ? entries : entries.slice(1)) {
    const entry = entryIn(octets);
    if (entry === undefined) return true;
    if (!follows(entry, epoch, newest, unpaired)) return true;
    if (entry.k === "epoch") [epoch, closed] = [entry, closed + 1];
  }
  // By the ways the map under one epoch is known, and so the next one's.
  return closed === 1 && epoch !== undefined && entryIn(entries.at(-1) as Uint8Array)?.k === "epoch" && epoch.map !== mapAfter(entries, from, shown);
}

/** Takes an entry in; false if it breaks a rule that can be judged by what is known. */
function follows(entry: LogEntry, epoch: EpochEntry | undefined, newest: Map<string, MapValue | undefined>, unpaired: Set<string>): boolean {
  try {
    if (entry.k === "epoch") checkEpoch(entry, epoch, unpaired);
    const change = changeOf(entry, 0);
    if (change === undefined || !("id" in entry)) return true;
    const [own, master] = [nameOf(change), nameOf({ id: change.id, kind: "master" })];
    if (newest.has(own) && newest.has(master)) checkSuccession(entry, newest.get(own), newest.get(master));
    if (newest.has(own)) newest.set(own, change.value);
    pair(unpaired, entry);
    return true;
  } catch (error) {
    if (error instanceof MeshError) return false;
    throw error;
  }
}

type Shown = ReadonlyMap<string, { readonly key: Uint8Array; readonly before: MapProof }>;

/** What the map had when the entries begin; undefined if the ways do not show it. */
function shownBy(ways: readonly Uint8Array[], epoch: EpochEntry | undefined, labels: readonly Label[]): Shown | undefined {
  if (ways.length !== (epoch === undefined ? 0 : labels.length)) return undefined;
  const shown = new Map<string, { readonly key: Uint8Array; readonly before: MapProof }>();
  for (const [at, label] of labels.entries()) {
    const key = mapKey(label.kind, label.id);
    const before = epoch === undefined ? { beside: [], end: undefined } : wayIn(ways[at] as Uint8Array, key, epoch);
    if (before === undefined) return undefined;
    shown.set(nameOf(label), { before, key });
  }
  return shown;
}

function wayIn(octets: Uint8Array, key: Uint8Array, { map }: EpochEntry): MapProof | undefined {
  const reader = new OctetReader(octets);
  const way = readMapProof(key, reader);
  const root = way === undefined || !reader.isAtEnd ? undefined : rootFromProof(key, way);
  return root !== undefined && toBase64url(root) === map ? way : undefined;
}

/** The root of the map once it tells of some entries, as an epoch leaf has it; that of the epoch before where they change nothing. */
function mapAfter(entries: readonly Uint8Array[], from: number, shown: Shown): string {
  const newest = new Map<string, MapValue>();
  for (const [at, octets] of entries.entries()) {
    const entry = entryIn(octets);
    const change = entry === undefined ? undefined : changeOf(entry, from + at);
    if (change !== undefined) newest.set(nameOf(change), change.value);
  }
  const begun = entryIn(entries[0] as Uint8Array);
  if (newest.size === 0 && from > 0 && begun?.k === "epoch") return begun.map;
  return toBase64url(rootWith([...shown].flatMap(([name, { before, key }]) => {
    const value = newest.get(name);
    return value === undefined ? [] : [{ before, leaf: { key, value } }];
  })));
}

function nameOf({ id, kind }: { readonly id: string; readonly kind: MapKind }): string {
  return `${kind}/${id}`;
}

function entryIn(octets: Uint8Array): LogEntry | undefined {
  try {
    return readEntry(octets);
  } catch {
    return undefined;
  }
}
