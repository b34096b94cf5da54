import { equalBytes } from "../bytes/equal.ts";
import { toBase64url } from "../bytes/base64url.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type EpochEntry, readEntry } from "./entry.ts";
import { type MapKind, mapKey, type MapLeaf, type MapValue } from "./map.ts";
import { leafHash } from "./merkle.ts";
import { bucketName, PrefixMap } from "./prefix-map.ts";
import { changeOf, checkSuccession } from "./succession.ts";
import { EMPTY_TREE, integrate, rootOf, type Tree } from "./tree.ts";

/**
 * A log as somebody outside reads it, from its first entry on: whether its epochs commit to the map that its entries make, whether versions follow
 * one another, and whether its checkpoints are its own. What a monitor does, and a member before it vouches for another's log.
 */
export class Replay {
  readonly #map = new PrefixMap();
  readonly #buckets = new Map<string, MapLeaf[]>();
  readonly #changed = new Set<string>();
  /** Whose Master Profile is newer than the Personal Profile. */
  readonly #unpaired = new Set<string>();
  #tree: Tree = EMPTY_TREE;
  #epoch: EpochEntry | undefined;
  #isClosed = false;

  /** How many entries were read. */
  get size(): number {
    return this.#tree.size;
  }

  /** The newest of its kind, as the entries read so far have it. */
  newest(kind: MapKind, id: string): MapValue | undefined {
    const key = mapKey(kind, id);
    return this.#buckets.get(bucketName(key))?.find((leaf) => equalBytes(leaf.key, key))?.value;
  }

  /** Reads the next entries: `log-entry-malformed`, `portal-wrong-entry`, `portal-wrong-map`. After a refusal it is of no further use. */
  async take(entries: readonly Uint8Array[]): Promise<void> {
    let index = this.size;
    for (const octets of entries) await this.#takeOne(octets, index++);
    this.#tree = integrate(this.#tree, entries.map(leafHash)).tree;
  }

  /** Whether a checkpoint is this log's after the entries read so far, and closed by an epoch as it must be. */
  agrees({ size, root }: Checkpoint): boolean {
    return size === this.size && this.#isClosed && equalBytes(root, rootOf(this.#tree));
  }

  async #takeOne(octets: Uint8Array, index: number): Promise<void> {
    const entry = readEntry(octets);
    this.#isClosed = entry.k === "epoch";
    if (entry.k === "epoch") return this.#close(entry);
    const change = changeOf(entry, index);
    if (change === undefined || !("id" in entry)) return;
    checkSuccession(entry, this.newest(change.kind, change.id), this.newest("master", change.id));
    this.#put({ key: mapKey(change.kind, change.id), value: change.value });
    if (entry.k === "master") this.#unpaired.add(entry.id);
    if (entry.k === "personal") this.#unpaired.delete(entry.id);
  }

  async #close(epoch: EpochEntry): Promise<void> {
    const before = this.#epoch;
    demand(epoch.n === (before?.n ?? 0) + 1 && epoch.t > (before?.t ?? 0), "portal-wrong-entry", "An epoch does not follow the one before it.");
    demand(this.#unpaired.size === 0, "portal-wrong-entry", "A Master Profile is in the log without the first Personal Profile under it.");
    await this.#map.refresh(this.#changed, async (name) => this.#buckets.get(name) ?? []);
    this.#changed.clear();
    demand(epoch.map === toBase64url(this.#map.root), "portal-wrong-map", `Epoch ${epoch.n} commits to another map than the entries before it make.`);
    this.#epoch = epoch;
  }

  #put(leaf: MapLeaf): void {
    const name = bucketName(leaf.key);
    const others = (this.#buckets.get(name) ?? []).filter(({ key }) => !equalBytes(key, leaf.key));
    this.#buckets.set(name, [...others, leaf]);
    this.#changed.add(name);
  }
}
