import type { Member } from "../protocol/session.ts";
import { BEAT_MS, HELD_MS, STREAM_MS } from "../protocol/watch.ts";
import { demand } from "../refusals/mesh-error.ts";

/** How many may watch at once. */
export type WatchLimits = { readonly device: number; readonly account: number; readonly address: number; readonly total: number };

/** Of one device the newest stay: one whose network went away knows nothing of its older streams. An address may be that of a whole office. */
export const watchLimits: WatchLimits = { device: 4, account: 256, address: 2_048, total: 10_000 };

/** So many devices a second may come back once a portal was gone: about half of what a core can greet. */
const COME_BACK = 250;
/** The least and the most time over which they are told to spread that, in milliseconds. */
const [SPREAD_LEAST, SPREAD_MOST] = [1_000, 120_000];

/** Where somebody hears: of a revision, that nothing happened, or no more. What it is told with is over how many milliseconds to spread coming back. */
export type Ear = { hear(revision: number, spread: number): void; beat(spread: number): void; end(): void };

/** Somebody who is told when a mesh changes; `revision` is the last one told. */
export type Watcher = Member & { readonly session: string; readonly network: string; readonly kind: "stream" | "answer"; readonly ear: Ear; revision: number; readonly ends: number; next: number };

/** Who watches which mesh, in memory alone: whoever is forgotten asks again. */
export class Watchers {
  readonly #limits: WatchLimits;
  readonly #meshes = new Map<string, Set<Watcher>>();
  readonly #networks = new Map<string, number>();
  #count = 0;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The meshes that are watched. */
  get meshes(): readonly string[] {
    return [...this.#meshes.keys()];
  }

  /** Over how many milliseconds all who watch now should spread coming back, if this portal were gone. */
  get spread(): number {
    return Math.min(Math.max(SPREAD_LEAST, Math.ceil((this.#count / COME_BACK) * 1000)), SPREAD_MOST);
  }

  /** Takes one in; its device's oldest makes room for it. `service-rate-limited` where an account, an address or all together have too many. */
  add({ device, master }: Member, session: string, network: string, kind: Watcher["kind"], revision: number, ear: Ear, now: number): Watcher {
    const mine = this.of(master).filter((one) => one.device === device);
    if (mine.length >= this.#limits.device && mine[0] !== undefined) this.end(mine[0]);
    const room = this.of(master).length < this.#limits.account && (this.#networks.get(network) ?? 0) < this.#limits.address && this.#count < this.#limits.total;
    demand(room, "service-rate-limited", "Too many devices listen here already; ask again later.");
    const watcher: Watcher = { device, master, session, network, kind, ear, revision, ends: now + (kind === "stream" ? STREAM_MS : HELD_MS), next: now + BEAT_MS };
    const held = this.#meshes.get(master);
    if (held === undefined) this.#meshes.set(master, new Set([watcher]));
    else held.add(watcher);
    this.#networks.set(network, (this.#networks.get(network) ?? 0) + 1);
    this.#count += 1;
    return watcher;
  }

  /** Those of a mesh, the oldest first. */
  of(master: string): readonly Watcher[] {
    return [...(this.#meshes.get(master) ?? [])];
  }

  /** Tells one of a revision that it does not know. */
  tell(watcher: Watcher, revision: number): void {
    watcher.revision = revision;
    if (watcher.kind === "answer") this.remove(watcher);
    watcher.ear.hear(revision, this.spread);
  }

  /** Tells one that it hears no more, and lets it go. */
  end(watcher: Watcher): void {
    if (this.remove(watcher)) watcher.ear.end();
  }

  /** Lets one go that hears no more; whether it was there. */
  remove(watcher: Watcher): boolean {
    const held = this.#meshes.get(watcher.master);
    if (held?.delete(watcher) !== true) return false;
    if (held.size === 0) this.#meshes.delete(watcher.master);
    const left = (this.#networks.get(watcher.network) ?? 1) - 1;
    if (left === 0) this.#networks.delete(watcher.network);
    else this.#networks.set(watcher.network, left);
    this.#count -= 1;
    return true;
  }

  /** Does what is due by the clock: ends those whose time is over, who may come back at once, and says to the others that they are still heard. */
  tick(now: number): void {
    for (const held of this.#meshes.values()) {
      for (const watcher of held) {
        // A clock that was set back ends nobody's stream late.
        if (now >= watcher.ends || now < watcher.ends - STREAM_MS) {
          watcher.ear.beat(0);
          this.end(watcher);
        } else if (now >= watcher.next) {
          watcher.next = now + BEAT_MS;
          watcher.ear.beat(this.spread);
        }
      }
    }
  }

  /** Ends all. */
  endAll(): void {
    for (const held of this.#meshes.values()) for (const watcher of held) this.end(watcher);
  }
}
