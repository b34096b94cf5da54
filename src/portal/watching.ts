import { writeEvent } from "../protocol/events.ts";
import { watch } from "../protocol/watch.ts";
import { encodeResponse } from "../protocol/wire.ts";
import type { Member } from "../protocol/session.ts";
import type { MasterId } from "../profiles/types.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Store } from "../store/store.ts";
import { askerFor } from "./context.ts";
import { type MeshRecord, row, shelf } from "./records.ts";
import { openAt } from "./view.ts";
import type { Views } from "./views.ts";
import { type Ear, type WatchLimits, type Watcher, Watchers } from "./watchers.ts";

/** What a stream is sent through. */
export type Feed = { send(octets: Uint8Array): void; end(): void };

/** What follows the first event: begun with a feed, it says what to do when the other side is gone. */
export type Stream = (feed: Feed) => { gone(): void };

/** Who begins to watch: what its answer said was the revision. */
export type Beginning = { readonly member: Member; readonly session: string; readonly network: string; readonly revision: number };

type Parts = { readonly store: Store; readonly views: Views; readonly limits: WatchLimits; readonly now: () => number };

/**
 * Tells devices when something of their mesh changes, and nothing of what: they ask for it.
 *
 * Each time it is looked whether the device may still enter, and its session still is; whoever may not is let go. Nothing is kept of it: whoever was not told,
 * since a process ended, is told by the first event of the next stream where its mesh stands.
 */
export class Watching {
  readonly #parts: Parts;
  readonly #watchers: Watchers;
  /** Meshes that are being looked at, and those that changed meanwhile or could not be looked at. */
  readonly #looking = new Set<string>();
  readonly #again = new Set<string>();
  #told = 0;
  #over = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#watchers = new Watchers(parts.limits);
  }

  /** How many watch, and how often one was told of a change. */
  counts(): { readonly watching: number; readonly told: number } {
    return { watching: this.#watchers.count, told: this.#told };
  }

  /** The first event of a stream, around the answer's octets, and what follows; `service-rate-limited` where there are too many. */
  stream(who: Beginning, answer: Uint8Array): { readonly first: Uint8Array; readonly stream: Stream } {
    let feed: Feed | undefined;
    const missed: ((to: Feed) => void)[] = [];
    // Until the head is sent there is no feed, and what happens meanwhile is kept.
    const act = (does: (to: Feed) => void): void => void (feed === undefined ? missed.push(does) : does(feed));
    const ear: Ear = {
      hear: (revision, retry) => act((to) => to.send(writeEvent({ retry, data: encodeResponse(watch, { revision }) }))),
      beat: (retry) => act((to) => to.send(writeEvent({ retry }))),
      end: () => act((to) => to.end()),
    };
    const watcher = this.#add(who, "stream", ear);
    const stream: Stream = (to) => {
      feed = to;
      for (const does of missed.splice(0)) does(to);
      return { gone: () => void this.#watchers.remove(watcher) };
    };
    return { first: writeEvent({ retry: this.#watchers.spread, data: answer }), stream };
  }

  /** The next revision, or the same when it was waited for long enough. */
  next(who: Beginning): Promise<number> {
    return new Promise((resolve) => {
      this.#add(who, "answer", { hear: resolve, beat: () => {}, end: () => resolve(who.revision) });
    });
  }

  /** Looks at a mesh that changed, or at all that are watched where it is not known which. */
  async changed(master: string | undefined): Promise<void> {
    if (master === undefined) {
      for (const one of this.#watchers.meshes) await this.changed(one);
      return;
    }
    if (this.#watchers.of(master).length === 0) return;
    this.#again.add(master);
    if (this.#looking.has(master)) return;
    this.#looking.add(master);
    try {
      while (this.#again.delete(master)) await this.#look(master as MasterId);
    } catch {
      // The store is away: at the next tick.
      this.#again.add(master);
    } finally {
      this.#looking.delete(master);
    }
  }

  /** Does what is due by the clock; once a second. */
  tick(): void {
    this.#watchers.tick(this.#parts.now());
    for (const master of this.#again) if (!this.#looking.has(master)) void this.changed(master);
  }

  /** Ends all and takes nobody more, for a portal that ends. */
  end(): void {
    this.#over = true;
    this.#watchers.endAll();
  }

  #add({ member, session, network, revision }: Beginning, kind: Watcher["kind"], ear: Ear): Watcher {
    demand(!this.#over, "service-busy", "The portal is ending; ask again.");
    const watcher = this.#watchers.add(member, session, network, kind, revision, ear, this.#parts.now());
    // What changed between the answer and now was told to nobody.
    void this.changed(member.master);
    return watcher;
  }

  async #look(master: MasterId): Promise<void> {
    const { store, views } = this.#parts;
    const now = this.#parts.now();
    const watchers = this.#watchers.of(master);
    const { record, sessions } = await store.read(async (r) => {
      const there = new Set<string>();
      for (const id of new Set(watchers.map(({ session }) => session))) if ((await row(r, shelf.sessions, id)) !== undefined) there.add(id);
      return { record: await row<MeshRecord>(r, shelf.meshes, master), sessions: there };
    });
    const gone = watchers.filter(({ session }) => !sessions.has(session));
    for (const watcher of gone) this.#watchers.end(watcher);
    const behind = watchers.filter((watcher) => !gone.includes(watcher) && watcher.revision !== record?.revision);
    if (behind.length === 0) return;
    const view = openAt(await views.get(master), now);
    const world = { now, read: store.read.bind(store), whole: views.whole.bind(views) };
    for (const watcher of behind) {
      const { kind } = await askerFor(watcher, view, world);
      if (view === undefined || kind !== "member") this.#watchers.end(watcher);
      else {
        this.#told += 1;
        this.#watchers.tell(watcher, view.record.revision);
      }
    }
  }
}
