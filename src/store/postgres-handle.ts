import { MeshError } from "../refusals/mesh-error.ts";
import type { Overlay } from "./overlay.ts";
import type { Place, PostgresLink } from "./postgres-link.ts";
import { demandKey, demandNatural, demandOctets, demandText, rangeOf } from "./range.ts";
import type { Entry, ListOptions, Writing } from "./store.ts";

/** What a work is given: a snapshot, and the changes that are laid over it where the work may write. */
export class PostgresHandle implements Writing {
  /** The first error of the engine, which dooms the work. */
  failure: unknown;
  readonly #link: PostgresLink;
  readonly #place: Place;
  readonly #overlay: Overlay | undefined;
  #over = false;

  constructor(link: PostgresLink, place: Place, overlay?: Overlay) {
    this.#link = link;
    this.#place = place;
    this.#overlay = overlay;
  }

  /** Closes the handle: the work has ended. */
  end(): void {
    this.#over = true;
  }

  async get(shelf: string, key: string): Promise<Uint8Array | undefined> {
    demandText(shelf, key);
    return this.#do(async () => {
      const changed = this.#overlay?.get(shelf, key);
      return changed === undefined ? this.#link.get(shelf, key) : changed.value;
    });
  }

  async list(shelf: string, prefix: string, options: ListOptions = {}): Promise<readonly Entry[]> {
    demandText(shelf, prefix, options.after ?? "");
    demandNatural(options.limit);
    const [range, { limit }, reverse] = [rangeOf(prefix, options), options, options.reverse === true];
    return this.#do(async () => {
      if (this.#overlay === undefined) return this.#link.list(shelf, range, limit, reverse);
      const more = this.#overlay.touched(shelf, range);
      const found = await this.#link.list(shelf, range, limit === undefined ? undefined : limit + more, reverse);
      return this.#overlay.over(found, shelf, range, limit, reverse);
    });
  }

  async leaves(from: number, limit?: number): Promise<readonly Uint8Array[]> {
    demandNatural(from);
    demandNatural(limit);
    const wanted = limit ?? Number.MAX_SAFE_INTEGER - from;
    const kept = Math.min(wanted, Math.max(0, this.#place.size - from));
    return this.#do(async () => {
      const found = kept === 0 ? [] : await this.#link.leaves(from, kept);
      const added = this.#overlay?.leaves(Math.max(0, from - this.#place.size), wanted - kept) ?? [];
      return [...found, ...added];
    });
  }

  async put(shelf: string, key: string, value: Uint8Array): Promise<void> {
    demandKey(shelf, key);
    demandOctets(value);
    this.#change((overlay) => overlay.put(shelf, key, value));
  }

  async remove(shelf: string, key: string): Promise<void> {
    demandText(shelf, key);
    this.#change((overlay) => overlay.remove(shelf, key));
  }

  async append(leaf: Uint8Array): Promise<number> {
    demandOctets(leaf);
    return this.#change((overlay) => this.#place.size + overlay.append(leaf) - 1);
  }

  #change<T>(verb: (overlay: Overlay) => T): T {
    this.#admit();
    if (this.#overlay === undefined) throw new MeshError("store-misused", "A reading work tried to write.");
    return verb(this.#overlay);
  }

  async #do<T>(verb: () => Promise<T>): Promise<T> {
    this.#admit();
    try {
      return await verb();
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }

  #admit(): void {
    if (this.#over) throw new MeshError("store-misused", "A work used its handle after it had ended; is an await missing?");
    if (this.failure !== undefined) throw this.failure;
  }
}
