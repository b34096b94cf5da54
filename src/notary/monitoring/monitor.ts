import { toBase64url } from "../../bytes/base64url.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Store, Writing } from "../../store/store.ts";
import { readBundle } from "../bundles.ts";
import { readEntry } from "../entry.ts";
import type { Evidence } from "../evidence.ts";
import { bounded, type GetResource, tilesUnder } from "../follow.ts";
import { builtMap, savedMap } from "../keeping/opening.ts";
import { RecentLeaves } from "../keeping/recent.ts";
import { leafIn, logShelf, putRow, putTile, rowIn, tilesIn, writtenBuckets } from "../keeping/rows.ts";
import { continues, demandNoOlder } from "../log-head.ts";
import { type LogPolicy, trustCheckpoint, type TrustedCheckpoint } from "../log-policy.ts";
import { forkEvidence, proven, rollbackEvidence, rulesEvidence } from "../make-evidence.ts";
import { mapKey, writeMapValue } from "../map.ts";
import { writeMapProof } from "../map-proof.ts";
import { leafHash } from "../merkle.ts";
import { writeNote } from "../note.ts";
import { consistencyProof } from "../prove.ts";
import { Replay, type Replayed, type ReplayRows } from "../replay.ts";
import { labelsFor } from "../rules.ts";
import type { Tallied } from "../tally.ts";
import { bundlePath, TILE_WIDTH, tileAt, type TileReader } from "../tiles.ts";
import { integrate, rootOf, treeFrom } from "../tree.ts";

/** What a monitor keeps of a log: how far it was replayed, and the log's own word for it as it was signed last. */
type StateRow = Replayed & { readonly origin: string; readonly size: number };

/** A log that was caught, with what proves it to others if anything that it signed does. */
export class Caught extends MeshError {
  readonly evidence: Evidence | undefined;

  constructor(error: MeshError, evidence: Evidence | undefined) {
    super(error.code, error.message, error.hint, error);
    this.evidence = evidence;
  }
}

/** So many bundles are judged and kept at once: at most 16 MiB. */
const CHUNK = 16;

/**
 * Replays a log from outside and keeps it (`docs/spec/log.md` 8): entries, tiles and map, as a portal keeps its own, so that a mirror comes with it.
 *
 * Nothing is kept before it was shown to be under a signed checkpoint that goes on from the one before: what is found wrong then is the log's own word.
 * In memory are the upper levels of the map and one chunk of entries, however long the log.
 */
export class Monitor {
  readonly #store: Store;
  readonly #policy: LogPolicy;
  readonly #replay: Replay;

  private constructor(store: Store, policy: LogPolicy, replay: Replay) {
    this.#store = store;
    this.#policy = policy;
    this.#replay = replay;
  }

  /** Goes on from what is kept in a store, if it is of this log (`log-wrong-origin`). */
  static async open(store: Store, policy: LogPolicy): Promise<Monitor> {
    const state = await monitored(store);
    demand(state === undefined || state.origin === policy.origin, "log-wrong-origin", `What is kept is of the log ${state?.origin ?? ""}, and not of ${policy.origin}.`, "Choose another file with --state.");
    if (state === undefined) return new Monitor(store, policy, new Replay());
    const tree = await store.read((r) => treeFrom(state.size, tilesIn(r)));
    const rows = new RecentLeaves();
    const map = (await savedMap(store, rows, state.size)) ?? (await builtMap(store, rows));
    return new Monitor(store, policy, new Replay(undefined, tree, map, state));
  }

  /** How many entries were replayed. */
  get size(): number {
    return this.#replay.size;
  }

  /** What was counted in what was read since the monitor was opened. */
  get tallied(): Tallied {
    return this.#replay.tallied;
  }

  /**
   * Reads on to the newest checkpoint: those of {@link trustCheckpoint}, `log-tile-malformed`, and, as {@link Caught}, `portal-older-log`, `portal-forked-log`,
   * `portal-wrong-entry` and `portal-wrong-map`. After a refusal the monitor is to be opened again.
   */
  async follow(get: GetResource, now: number): Promise<TrustedCheckpoint> {
    const checkpoint = trustCheckpoint(await bounded(get, "checkpoint"), this.#policy, now);
    const before = await this.#store.read((r) => r.get(logShelf.log, "checkpoint"));
    if (before !== undefined) await this.#goesOn(before, checkpoint, get);
    demandNoOlderThan(this.size, checkpoint.size);
    while (this.size < checkpoint.size) await this.#takeChunk(get, checkpoint);
    demandContinued(this.#replay.agrees(checkpoint), "The checkpoint is not closed by an epoch over its entries.");
    await this.#store.transact((w) => w.put(logShelf.log, "checkpoint", writeNote(checkpoint.note)));
    return checkpoint;
  }

  /** Keeps the map's upper levels, so that the next start need not make them anew. */
  async save(): Promise<void> {
    const { size } = this;
    await this.#store.transact(async (w) => {
      await w.put(logShelf.log, "map", this.#replay.saveMap());
      await putRow(w, logShelf.log, "map-size", { size });
    });
  }

  /** Both are signed: where one does not continue the other that is proof by itself. */
  async #goesOn(kept: Uint8Array, later: TrustedCheckpoint, get: GetResource): Promise<void> {
    const earlier = trustCheckpoint(kept, this.#policy, 0);
    const isOlder = later.size < earlier.size;
    const [small, checkpoint] = isOlder ? [later, earlier] : [earlier, later];
    if (small.size > 0) {
      // The larger tree is the one that is kept if the log went back.
      const read = isOlder ? this.#ownTiles() : tilesUnder(get, checkpoint.size);
      const isContinued = continues(small, checkpoint, await consistencyProof(read, small.size, checkpoint.size));
      if (!isContinued) throw new Caught(new MeshError("portal-forked-log", `The log of ${later.size} entries does not continue that of ${earlier.size}.`), await proven(forkEvidence(small, { checkpoint, read }), this.#policy));
    }
    // A smaller tree that this one goes on from closes no later epoch: only its signature can be later.
    if (isOlder) demandNoOlderThan(earlier.size, later.size, await proven(rollbackEvidence(earlier, later), this.#policy));
  }

  #ownTiles(): TileReader {
    return (name) => this.#store.read((r) => tilesIn(r)(name));
  }

  /** Reads some bundles; they must be under the checkpoint before anything is made of them. */
  async #takeChunk(get: GetResource, checkpoint: TrustedCheckpoint): Promise<void> {
    const entries: Uint8Array[] = [];
    let at = this.size;
    for (let count = 0; count < CHUNK && at < checkpoint.size; count++) {
      const name = tileAt(checkpoint.size, 0, Math.floor(at / TILE_WIDTH));
      const fresh = readBundle(await bounded(get, bundlePath(name)), name.width).slice(at % TILE_WIDTH);
      entries.push(...fresh);
      at += fresh.length;
    }
    // Up to the last epoch leaf, if more is to come: so the map that is kept is one that an epoch commits to.
    const closed = at === checkpoint.size ? 0 : entries.findLastIndex(isEpoch) + 1;
    if (closed > 0) [entries.length, at] = [closed, this.size + closed];
    const root = rootOf(integrate(this.#replay.tree, entries.map(leafHash)).tree);
    const proof = at === checkpoint.size ? [] : await consistencyProof(tilesUnder(get, checkpoint.size), at, checkpoint.size);
    demandContinued(continues({ root, size: at }, checkpoint, proof), "The entries that this log shows are not those under its checkpoint.");
    try {
      await this.#keep(entries);
    } catch (error) {
      throw error instanceof Caught ? new Caught(error, await proven(this.#rulesEvidence(entries, checkpoint, get), this.#policy)) : error;
    }
  }

  /** Replays entries that are under a checkpoint, and keeps them. */
  async #keep(entries: readonly Uint8Array[]): Promise<void> {
    const from = this.size;
    await this.#store.transact(async (w) => {
      // What was replayed cannot be again: another process was quicker.
      demand(this.size === from, "store-busy", "Another monitor uses the same file.", "Wait for it, or choose another with --state.");
      const tiles = await this.#replay.take(entries, rowsIn(w)).catch(caught);
      for (const [at, entry] of entries.entries()) demand((await w.append(entry)) === from + at, "store-damaged", "What is kept of this log has other entries than were read.", "Choose another file with --state.");
      for (const tile of tiles) await putTile(w, tile);
      const { epoch, isClosed, unpaired } = this.#replay.standing;
      await putRow(w, logShelf.log, "replayed", { ...(epoch === undefined ? {} : { epoch }), isClosed, origin: this.#policy.origin, size: this.size, unpaired: [...unpaired] });
    });
  }

  /** Evidence about the entry that was refused, from the last epoch leaf before it on, up to which all is kept. */
  async #rulesEvidence(entries: readonly Uint8Array[], checkpoint: TrustedCheckpoint, get: GetResource): Promise<Evidence | undefined> {
    const again = await Monitor.open(this.#store, this.#policy);
    const [first, refused] = [again.size, this.#replay.refused];
    const good = entries.slice(0, refused - first);
    const sound = good.findLastIndex((entry) => readEntry(entry).k === "epoch") + 1;
    if (sound > 0) await again.#keep(good.slice(0, sound));
    const from = again.size === 0 ? 0 : again.size - 1;
    if (again.size > 0 && !again.#replay.standing.isClosed) return undefined;
    const run = [...(await this.#store.read((r) => r.leaves(from, again.size - from))), ...entries.slice(again.size - first, refused + 1 - first)];
    const labels = again.size === 0 ? [] : labelsFor(run);
    const ways = await this.#store.read((r) => Promise.all(labels.map(async ({ kind, id }) => writeMapProof(mapKey(kind, id), await again.#replay.prove(mapKey(kind, id), writtenBuckets(r))))));
    return rulesEvidence(run, from, ways, { checkpoint, read: tilesUnder(get, checkpoint.size) });
  }
}

function isEpoch(octets: Uint8Array): boolean {
  try {
    return readEntry(octets).k === "epoch";
  } catch {
    return false;
  }
}

/** What is kept in a store of a log that is monitored. */
export function monitored(store: Store): Promise<StateRow | undefined> {
  return store.read((r) => rowIn<StateRow>(r, logShelf.log, "replayed"));
}

function rowsIn(w: Writing): ReplayRows {
  return {
    bucket: writtenBuckets(w),
    get: async (key) => {
      const octets = await w.get(logShelf.map, toBase64url(key));
      return octets === undefined ? undefined : leafIn(toBase64url(key), octets).value;
    },
    put: (leaf) => w.put(logShelf.map, toBase64url(leaf.key), writeMapValue(leaf.value)),
  };
}

function demandNoOlderThan(known: number, size: number, evidence?: Evidence): void {
  try {
    demandNoOlder(size, known);
  } catch (error) {
    throw error instanceof MeshError ? new Caught(error, evidence) : error;
  }
}

function demandContinued(holds: boolean, because: string): asserts holds {
  if (!holds) throw new Caught(new MeshError("portal-forked-log", because), undefined);
}

function caught(error: unknown): never {
  throw error instanceof MeshError && !error.code.startsWith("store-") ? new Caught(error.code === "log-entry-malformed" ? new MeshError("portal-wrong-entry", error.message, undefined, error) : error, undefined) : error;
}
