import type { Entry, Reading, Store } from "../../store/store.ts";
import { shelf as shelves } from "../records.ts";

/** So many rows are read at once: a walk through everything holds up nobody's request for longer than that takes, nor much memory. */
const PAGE = 256;
const PAGES: Readonly<Record<string, number>> = { [shelves.blobs]: 8, [shelves.bodies]: 8, [shelves.objects]: 64 };

/** How many rows of a shelf are handled at once. */
export function pageOf(shelf: string): number {
  return PAGES[shelf] ?? PAGE;
}

/** All rows of a shelf whose keys begin with a prefix, in order, as one snapshot has them. */
export async function* rowsOf(reading: Reading, shelf: string, prefix = ""): AsyncGenerator<Entry> {
  yield* walk(pageOf(shelf), (from) => reading.list(shelf, prefix, from));
}

/** As `rowsOf`, page by page from a store that goes on changing: what was there all the time is met once. */
export async function* liveRowsOf(store: Store, shelf: string, prefix = ""): AsyncGenerator<Entry> {
  yield* walk(pageOf(shelf), (from) => store.read((reading) => reading.list(shelf, prefix, from)));
}

async function* walk(limit: number, next: (from: { readonly limit: number; readonly after?: string }) => Promise<readonly Entry[]>): AsyncGenerator<Entry> {
  for (let after: string | undefined; ; ) {
    const page = await next({ limit, ...(after === undefined ? {} : { after }) });
    yield* page;
    if (page.length < limit) return;
    after = page.at(-1)?.key;
  }
}
