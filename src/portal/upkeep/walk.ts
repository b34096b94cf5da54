import type { Entry, Reading, Store } from "../../store/store.ts";

/** So many rows are read at once: a walk through everything holds up nobody's request for longer than that takes. */
const PAGE = 256;

/** All rows of a shelf whose keys begin with a prefix, in order, as one snapshot has them. */
export async function* rowsOf(reading: Reading, shelf: string, prefix = ""): AsyncGenerator<Entry> {
  yield* walk(({ after }) => reading.list(shelf, prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) }));
}

/** As `rowsOf`, page by page from a store that goes on changing: what was there all the time is met once. */
export async function* liveRowsOf(store: Store, shelf: string, prefix = ""): AsyncGenerator<Entry> {
  yield* walk(({ after }) => store.read((reading) => reading.list(shelf, prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) })));
}

async function* walk(next: (from: { readonly after: string | undefined }) => Promise<readonly Entry[]>): AsyncGenerator<Entry> {
  for (let after: string | undefined; ; ) {
    const page = await next({ after });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.key;
  }
}
