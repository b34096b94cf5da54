import type { MasterId } from "../profiles/types.ts";
import type { Store } from "../store/store.ts";
import { type MeshRecord, row, shelf } from "./records.ts";
import { loadView, type View } from "./view.ts";

const KEPT_VIEWS = 4096;

/** The meshes used last, as read or as last changed; a view is used only while its revision is the store's. */
export class Views {
  readonly #store: Store;
  readonly #kept = new Map<string, View>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The mesh as the store has it now: another process may have changed it since it was kept. */
  async get(id: MasterId): Promise<View | undefined> {
    const kept = this.#kept.get(id);
    const record = await this.#store.read((r) => row<MeshRecord>(r, shelf.meshes, id));
    if (kept !== undefined && record?.revision === kept.record.revision) {
      this.set(kept);
      return kept;
    }
    const view = record === undefined ? undefined : await this.#store.read((r) => loadView(r, id));
    if (view === undefined) this.#kept.delete(id);
    else this.set(view);
    return view;
  }

  /** Keeps a view that was just written or read. */
  set(view: View): void {
    this.#kept.delete(view.id);
    this.#kept.set(view.id, view);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > KEPT_VIEWS && !oldest.done) this.#kept.delete(oldest.value);
  }
}
