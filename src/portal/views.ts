import type { MasterId } from "../profiles/types.ts";
import type { Reading, Store } from "../store/store.ts";
import { type MeshRecord, row, shelf } from "./records.ts";
import { type View, viewOf } from "./view.ts";
import { loadWhole, type Whole } from "./whole.ts";

const KEPT_VIEWS = 128;
const KEPT_WHOLES = 16;

/** The meshes used last, as read or as last changed; each is used only while its revision is the store's. */
export class Views {
  readonly #store: Store;
  readonly #views = new Map<string, View>();
  readonly #wholes = new Map<string, Whole>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Where the mesh stands in the store now: another process may have changed it since it was kept. */
  async get(id: MasterId): Promise<View | undefined> {
    return this.#store.read((r) => this.at(r, id));
  }

  /** As `get`, in a snapshot that is at hand. */
  async at(reading: Reading, id: MasterId): Promise<View | undefined> {
    const kept = this.#views.get(id);
    const record = await row<MeshRecord>(reading, shelf.meshes, id);
    const view = record === undefined ? undefined : record.revision === kept?.record.revision ? kept : await viewOf(reading, id, record);
    if (view === undefined) this.#views.delete(id);
    else this.set(view);
    return view;
  }

  /** All of a mesh; never older than the view given, and newer only if it changed meanwhile: the row of the view tells when it is written. */
  async whole(view: View): Promise<Whole> {
    const kept = this.#wholes.get(view.id);
    const whole = kept?.record.revision === view.record.revision ? kept : await this.#store.read((r) => loadWhole(r, view.id));
    if (whole === undefined) throw new RangeError("a mesh with a view is there as a whole");
    remember(this.#wholes, KEPT_WHOLES, view.id, whole);
    return whole;
  }

  /** Forgets all of them: they are kept only to be quick. */
  forget(): void {
    this.#views.clear();
    this.#wholes.clear();
  }

  /** Keeps a view that was just written or read. */
  set(view: View): void {
    remember(this.#views, KEPT_VIEWS, view.id, view);
  }
}

function remember<T>(kept: Map<string, T>, most: number, name: string, value: T): void {
  kept.delete(name);
  kept.set(name, value);
  const oldest = kept.keys().next();
  if (kept.size > most && !oldest.done) kept.delete(oldest.value);
}
