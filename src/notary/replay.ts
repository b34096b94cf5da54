import { equalBytes } from "../bytes/equal.ts";
import { toBase64url } from "../bytes/base64url.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type EpochEntry, readEntry } from "./entry.ts";
import { type MapKind, mapKey, type MapLeaf, type MapValue } from "./map.ts";
import type { MapProof } from "./map-proof.ts";
import { MapLeaves } from "./map-leaves.ts";
import { leafHash } from "./merkle.ts";
import { type BucketReader, bucketName, PrefixMap } from "./prefix-map.ts";
import { changeOf, checkEpoch, checkSuccession, pair } from "./succession.ts";
import { Tally, type Tallied } from "./tally.ts";
import type { Tile } from "./tiles.ts";
import { EMPTY_TREE, integrate, rootOf, type Tree } from "./tree.ts";

/** Where the leaves of the map are while a log is replayed: in memory, or in whatever keeps them. */
export type ReplayRows = { readonly get: (key: Uint8Array) => Promise<MapValue | undefined>; readonly put: (leaf: MapLeaf) => Promise<void>; readonly bucket: BucketReader };

/** Where a replay stands, besides its tree and its map: enough to go on from it. */
export type Replayed = { readonly epoch: Pick<EpochEntry, "n" | "t"> | undefined; readonly isClosed: boolean; /** Whose Master Profile is newer than the Personal Profile. */ readonly unpaired: readonly string[] };

/** So many may be in that state at once. An honest portal logs both side by side. */
const MOST_UNPAIRED = 4096;

/**
 * A log as somebody outside reads it, from its first entry on: whether its epochs commit to the map that its entries make, whether versions follow
 * one another, and whether its checkpoints are its own. What a monitor does, and a member before it vouches for another's log.
 */
export class Replay {
  readonly #map: PrefixMap;
  readonly #rows: ReplayRows;
  readonly #changed = new Set<string>();
  readonly #unpaired: Set<string>;
  readonly #tally = new Tally();
  #tree: Tree;
  #epoch: Replayed["epoch"];
  #isClosed: boolean;
  #next = 0;

  /** Begins at the first entry, or goes on from where another stood. */
  constructor(rows: ReplayRows = rowsInMemory(), tree: Tree = EMPTY_TREE, map: PrefixMap = new PrefixMap(), { epoch, isClosed, unpaired }: Replayed = { epoch: undefined, isClosed: false, unpaired: [] }) {
    this.#rows = rows;
    this.#tree = tree;
    this.#map = map;
    this.#epoch = epoch;
    this.#isClosed = isClosed;
    this.#unpaired = new Set(unpaired);
  }

  /** How many entries were read. */
  get size(): number {
    return this.#tree.size;
  }

  /** The tree over the entries read. */
  get tree(): Tree {
    return this.#tree;
  }

  /** The index of the entry that was refused, once one was. */
  get refused(): number {
    return this.#next;
  }

  /** The proof of a key in the map as the entries read so far make it. */
  prove(key: Uint8Array, bucket: BucketReader): Promise<MapProof> {
    return this.#map.prove(key, bucket);
  }

  /** What to go on from. */
  get standing(): Replayed {
    return { epoch: this.#epoch === undefined ? undefined : { n: this.#epoch.n, t: this.#epoch.t }, isClosed: this.#isClosed, unpaired: [...this.#unpaired] };
  }

  /** What was counted in the entries read since this replay began or went on. */
  get tallied(): Tallied {
    return this.#tally.tallied;
  }

  /** The map's upper levels, to be kept. */
  saveMap(): Uint8Array {
    return this.#map.save();
  }

  /** The newest of its kind, as the entries read so far have it. */
  newest(kind: MapKind, id: string): Promise<MapValue | undefined> {
    return this.#rows.get(mapKey(kind, id));
  }

  /** Reads the next entries: `log-entry-malformed`, `portal-wrong-entry`, `portal-wrong-map`. After a refusal it is of no further use. Returns the tiles that they fill. */
  async take(entries: readonly Uint8Array[], rows: ReplayRows = this.#rows): Promise<readonly Tile[]> {
    this.#next = this.size;
    for (const octets of entries) {
      await this.#takeOne(octets, this.#next, rows);
      this.#next += 1;
    }
    await this.#refresh(rows);
    const { tree, tiles } = integrate(this.#tree, entries.map(leafHash));
    this.#tree = tree;
    return tiles;
  }

  /** Whether a checkpoint is this log's after the entries read so far, and closed by an epoch as it must be. */
  agrees({ size, root }: Checkpoint): boolean {
    return size === this.size && this.#isClosed && equalBytes(root, rootOf(this.#tree));
  }

  async #takeOne(octets: Uint8Array, index: number, rows: ReplayRows): Promise<void> {
    const entry = readEntry(octets);
    this.#tally.add(entry);
    this.#isClosed = entry.k === "epoch";
    if (entry.k === "epoch") return this.#close(entry, rows);
    const change = changeOf(entry, index);
    if (change === undefined || !("id" in entry)) return;
    checkSuccession(entry, await rows.get(mapKey(change.kind, change.id)), await rows.get(mapKey("master", change.id)));
    const leaf = { key: mapKey(change.kind, change.id), value: change.value };
    await rows.put(leaf);
    this.#changed.add(bucketName(leaf.key));
    pair(this.#unpaired, entry);
    demand(this.#unpaired.size <= MOST_UNPAIRED, "portal-wrong-entry", "Master Profiles are in the log without the first Personal Profiles under them.");
  }

  async #close(epoch: EpochEntry, rows: ReplayRows): Promise<void> {
    checkEpoch(epoch, this.#epoch, this.#unpaired);
    await this.#refresh(rows);
    demand(epoch.map === toBase64url(this.#map.root), "portal-wrong-map", `Epoch ${epoch.n} commits to another map than the entries before it make.`);
    this.#epoch = epoch;
  }

  async #refresh(rows: ReplayRows): Promise<void> {
    await this.#map.refresh(this.#changed, rows.bucket);
    this.#changed.clear();
  }
}

function rowsInMemory(): ReplayRows {
  const leaves = new MapLeaves();
  return { bucket: leaves.bucket, get: async (key) => leaves.get(key), put: async (leaf) => leaves.add([leaf]) };
}
