import { MeshError } from "../refusals/mesh-error.ts";
import type { Connection } from "./connection.ts";
import { demandKey, demandNatural, demandOctets, demandText, rangeOf } from "./range.ts";
import type { Entry, ListOptions, Writing } from "./store.ts";

/**
 * What a work is given: the connection's verbs, for as long as the work runs and nothing has failed.
 *
 * A verb that was not awaited would else land in another work's transaction, and a work that catches a storage error would go on outside of any.
 */
export class Handle implements Writing {
  /** The first error of the engine, which dooms the work. */
  failure: unknown;
  /** Whether anything was written, or tried to be. */
  wrote = false;
  readonly #connection: Connection;
  readonly #writable: boolean;
  #over = false;

  constructor(connection: Connection, writable: boolean) {
    this.#connection = connection;
    this.#writable = writable;
  }

  /** Closes the handle: the work has ended. */
  end(): void {
    this.#over = true;
  }

  async get(shelf: string, key: string): Promise<Uint8Array | undefined> {
    demandText(shelf, key);
    return this.#do(() => this.#connection.get(shelf, key));
  }

  async list(shelf: string, prefix: string, options: ListOptions = {}): Promise<readonly Entry[]> {
    demandText(shelf, prefix, options.after ?? "");
    demandNatural(options.limit);
    return this.#do(() => this.#connection.list(shelf, rangeOf(prefix, options), options.limit, options.reverse === true));
  }

  async leaves(from: number, limit?: number): Promise<readonly Uint8Array[]> {
    demandNatural(from);
    demandNatural(limit);
    return this.#do(() => this.#connection.leaves(from, limit));
  }

  version(): string | undefined {
    return this.#do(() => this.#connection.version?.());
  }

  async put(shelf: string, key: string, value: Uint8Array): Promise<void> {
    demandKey(shelf, key);
    demandOctets(value);
    this.#change(() => this.#connection.put(shelf, key, value));
  }

  async remove(shelf: string, key: string): Promise<void> {
    demandText(shelf, key);
    this.#change(() => this.#connection.remove(shelf, key));
  }

  async append(leaf: Uint8Array): Promise<number> {
    demandOctets(leaf);
    return this.#change(() => this.#connection.append(leaf));
  }

  #change<T>(verb: () => T): T {
    if (!this.#writable) throw new MeshError("store-misused", "A reading work tried to write.");
    return this.#do(() => {
      this.wrote = true;
      return verb();
    });
  }

  #do<T>(verb: () => T): T {
    if (this.#over) throw new MeshError("store-misused", "A work used its handle after it had ended; is an await missing?");
    if (this.failure !== undefined) throw this.failure;
    try {
      return verb();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}
