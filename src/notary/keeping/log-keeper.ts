import { toBase64url } from "../../bytes/base64url.ts";
import type { Json } from "../../bytes/canonical-json.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Reading, Store, Writing } from "../../store/store.ts";
import { readCheckpoint, writeCheckpoint } from "../checkpoint.ts";
import { type NoteSigner, signNote } from "../cosignature.ts";
import { closedEpoch, type ClosedEpoch, type MapLabel, writeCurrencyProof } from "../currency.ts";
import { type EpochEntry, readEntry } from "../entry.ts";
import { closeEpoch, type Closing, leavesOf } from "../epoch.ts";
import { mapKey, type MapLeaf } from "../map.ts";
import { rootFromProof } from "../map-proof.ts";
import { leafHash } from "../merkle.ts";
import { readNote, writeNote } from "../note.ts";
import { bucketName, type PrefixMap, type Undo } from "../prefix-map.ts";
import { integrate, rootOf, type Tree } from "../tree.ts";
import { builtMap, openTree, recentLeaves, savedMap } from "./opening.ts";
import { RecentLeaves, writtenSize } from "./recent.ts";
import { isUnclosed, record } from "./record.ts";
import { damagedLog, type HeadRow, logShelf, putRow, putTile, rowIn } from "./rows.ts";

/** What a log is kept with. */
export type KeeperParts = {
  readonly store: Store;
  readonly origin: string;
  /** The log's own keys: Ed25519 and ML-DSA-44. */
  readonly signers: readonly NoteSigner[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What the `catalogs` entry of a mesh that is due commits to. */
  readonly standingOf: (reading: Reading, mesh: string) => Promise<Json>;
};

const TRIES = 4;

/**
 * Keeps a portal's log: closes epochs over what transactions appended, signs, and proves what is current.
 *
 * All that it holds in memory is derived from the store, and is caught up with it whenever another process, or a commit of which nobody knows, was quicker.
 */
export class LogKeeper {
  readonly #parts: KeeperParts;
  readonly #map: PrefixMap;
  readonly #recent: RecentLeaves;
  #tree: Tree;
  #closed: ClosedEpoch | undefined;
  /** The closing that goes on now, or the last one. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: KeeperParts, tree: Tree, map: PrefixMap, recent: RecentLeaves) {
    this.#parts = parts;
    this.#tree = tree;
    this.#map = map;
    this.#recent = recent;
  }

  /** Opens the log in a store, empty or not; `store-damaged` if tree and map are not those of its head. */
  static async open(parts: KeeperParts): Promise<LogKeeper> {
    const tree = await openTree(parts.store);
    const recent = await recentLeaves(parts.store, tree.size);
    const saved = await savedMap(parts.store, recent, tree.size);
    // The epoch leaf is still to come, as if another process had closed it: it says whether tree and map are right.
    const keeper = saved === undefined ? undefined : await new LogKeeper(parts, tree, saved, recent).#caughtUp();
    if (keeper !== undefined) return keeper;
    const anew = await new LogKeeper(parts, tree, await builtMap(parts.store, recent), recent).#caughtUp();
    if (anew === undefined) throw damagedLog();
    return anew;
  }

  /** The last checkpoint as it was signed; undefined before the first epoch. */
  get checkpoint(): Uint8Array | undefined {
    return this.#closed?.checkpoint;
  }

  /** The tree under the last checkpoint. */
  get tree(): Tree {
    return this.#tree;
  }

  /** The time of the last epoch in milliseconds, 0 before the first. */
  get time(): number {
    return this.#closed?.epoch.t ?? 0;
  }

  /** Has an epoch closed over all that is appended or due now, signs its checkpoint, and says whether it did; if not, there was nothing, or another process did. */
  close(): Promise<boolean> {
    return this.#inTurn(() => this.#closeOrCatchUp());
  }

  /**
   * Whether there is anything to close an epoch over, or one to sign that another process closed, which may have died of it: asked in a snapshot, since a
   * transaction keeps the disk busy even where it changes nothing.
   */
  isDue(): Promise<boolean> {
    return this.#parts.store.read(async (r) => (await closedSize(r)) !== this.#tree.size || (await isUnclosed(r)));
  }

  /** A proof of what is current under the last checkpoint (`docs/spec/log.md` 6), whoever closed it; it holds, or is not given. */
  async prove(label: MapLabel): Promise<Uint8Array> {
    const key = mapKey(label.kind, label.id);
    const seen = new Set<ClosedEpoch | undefined>();
    for (let tries = 0; tries < TRIES; tries++) {
      await this.#turn;
      const [closed, { size }] = [this.#closed, this.#tree];
      const { isLast, proof } = await this.#parts.store.read(async (r) => ({ isLast: (await closedSize(r)) === size, proof: await this.#map.prove(key, this.#recent.bucketsIn(r)) }));
      if (isLast && closed === undefined) throw new MeshError("store-not-found", "This log has no checkpoint yet.");
      // Whoever asks may have seen the last one at another process, and must not be shown an earlier one.
      if (isLast && closed !== undefined && toBase64url(rootFromProof(key, proof) ?? new Uint8Array(0)) === closed.epoch.map) return writeCurrencyProof(label, proof, closed);
      // An epoch was closed meanwhile, here or by another process.
      seen.add(closed);
      await this.#inTurn(() => this.#catchUp());
    }
    // Nothing moved, and still it is wrong.
    if (seen.size === 1) throw damagedLog();
    throw new MeshError("store-busy", "The log grows faster than it is read; ask again.");
  }

  /** Keeps what is held in memory only, so that the next start need not make it anew: before a process ends, and now and then. */
  save(): Promise<void> {
    return this.#inTurn(async () => {
      for (let tries = 0; tries < TRIES; tries++) {
        const [size, map] = [this.#tree.size, this.#map.save()];
        const written = await this.#parts.store.transact(async (w) => {
          if ((await closedSize(w)) !== size) return false;
          await w.put(logShelf.log, "map", map);
          await putRow(w, logShelf.log, "map-size", { size });
          await this.#recent.write(w, new RecentLeaves(), size);
          return true;
        });
        if (written) return this.#recent.dropBelow(size);
        await this.#catchUp();
      }
      throw new MeshError("store-busy", "Other processes close every epoch of this log.");
    });
  }

  /** Keeps what is held in memory and lets go of what can be made of it again: when nobody has asked for a while. */
  async rest(): Promise<void> {
    await this.save();
    await this.#inTurn(async () => this.#map.fold());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #closeOrCatchUp(): Promise<boolean> {
    for (let tries = 0; tries < 2; tries++) {
      let undo: Undo | undefined;
      try {
        const closed = await this.#parts.store.transact(async (w) => {
          // An engine may run this again.
          undo?.();
          undo = undefined;
          if ((await closedSize(w)) !== this.#tree.size) return "behind";
          await this.#sealDue(w);
          const entries = await w.leaves(this.#tree.size);
          if (entries.length === 0) return "nothing";
          const coming = new RecentLeaves();
          const rows = { put: async (leaf: MapLeaf) => coming.add([leaf]), bucket: this.#recent.changedBucketsIn(w, coming, this.#map) };
          const closing = await closeEpoch({ tree: this.#tree, map: this.#map, epoch: this.#closed?.epoch }, entries, rows, this.#parts.now());
          undo = closing.undo;
          await keepClosing(w, closing);
          const written = this.#recent.isFullWith(coming);
          if (written) await this.#recent.write(w, coming, closing.tree.size);
          return { ...closing, coming, written };
        });
        if (closed === "nothing") return false;
        if (closed !== "behind") {
          this.#recent.add(closed.coming.all());
          if (closed.written) this.#recent.dropBelow(closed.tree.size);
          await this.#sign(closed.before, closed.epoch, closed.tree);
          return true;
        }
      } catch (error) {
        // Written or not: what is kept decides, and whoever closes or proves next looks.
        undo?.();
        throw error;
      }
      await this.#catchUp();
    }
    // Another process was quicker each time. What it closed last, it closed after this was asked for: over all that was there then.
    return false;
  }

  async #sealDue(w: Writing): Promise<void> {
    for (const { key } of await w.list(logShelf.due, "")) {
      await record(w, [{ seal: "catalogs", of: key, content: await this.#parts.standingOf(w, key) }]);
      await w.remove(logShelf.due, key);
    }
  }

  async #caughtUp(): Promise<LogKeeper | undefined> {
    try {
      await this.#catchUp();
      return this;
    } catch (error) {
      if (error instanceof MeshError && error.code === "store-damaged") return undefined;
      throw error;
    }
  }

  /** Goes on to where the store's head is, which another process, or this one without knowing, has moved. */
  async #catchUp(): Promise<void> {
    const from = this.#tree.size;
    const found = await this.#parts.store.read(async (r) => {
      const head = await rowIn<HeadRow>(r, logShelf.log, "head");
      if (head === undefined || head.size <= from) return undefined;
      const entries = await r.leaves(from, head.size - from);
      const leaves = leavesOf(entries, from);
      this.#recent.add(leaves);
      this.#recent.dropBelow(await writtenSize(r));
      await this.#map.refresh(leaves.map(({ key }) => bucketName(key)), this.#recent.bucketsIn(r));
      return { head, entries };
    });
    if (found === undefined) return;
    const [hashes, last] = [found.entries.map(leafHash), found.entries.at(-1)];
    const before = integrate(this.#tree, hashes.slice(0, -1)).tree;
    const { tree } = integrate(before, hashes.slice(-1));
    const epoch = last === undefined ? undefined : readEntry(last);
    if (epoch?.k !== "epoch" || epoch.map !== toBase64url(this.#map.root) || toBase64url(rootOf(tree)) !== found.head.root) throw damagedLog();
    await this.#sign(before, epoch, tree);
  }

  /** Signs what is committed, and never anything else; a checkpoint that was signed already is taken as it is. */
  async #sign(before: Tree, epoch: EpochEntry, tree: Tree): Promise<void> {
    const { store, origin, signers } = this.#parts;
    const text = writeCheckpoint({ origin, size: tree.size, root: rootOf(tree), extensions: [] });
    const kept = await store.read((r) => r.get(logShelf.log, "checkpoint"));
    let checkpoint = kept !== undefined && readNote(kept).text === text ? kept : undefined;
    if (checkpoint === undefined) {
      // The time of the epoch and not of now: after a crash a later one would say that nothing was appended in between.
      checkpoint = writeNote({ text, signatures: await Promise.all(signers.map((one) => signNote(one, text, Math.floor(epoch.t / 1000)))) });
      const signed = checkpoint;
      await store.transact(async (w) => {
        const newer = await w.get(logShelf.log, "checkpoint");
        if (newer === undefined || readCheckpoint(readNote(newer).text).size <= tree.size) await w.put(logShelf.log, "checkpoint", signed);
      });
    }
    this.#tree = tree;
    this.#closed = closedEpoch(epoch, before, checkpoint);
  }
}

/** Up to which size epochs are closed. */
async function closedSize(reading: Reading): Promise<number> {
  return (await rowIn<HeadRow>(reading, logShelf.log, "head"))?.size ?? 0;
}

async function keepClosing(w: Writing, { before, entry, epoch, tiles, tree }: Closing): Promise<void> {
  if ((await w.append(entry)) !== before.size) throw damagedLog();
  for (const tile of tiles) await putTile(w, tile);
  await putRow(w, logShelf.log, "head", { epoch: epoch.n, root: toBase64url(rootOf(tree)), size: tree.size, time: epoch.t } satisfies HeadRow);
}
