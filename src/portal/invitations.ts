import { utf8 } from "../bytes/text.ts";
import { digestOf } from "../envelope/signed.ts";
import type { Store } from "../store/store.ts";
import { putRow, shelf } from "./records.ts";

/** Lets whoever knows a code create one account; only the code's digest is kept. */
export async function invite(store: Store, code: string, now: number): Promise<void> {
  await store.transact((w) => putRow(w, shelf.invitations, digestOf(utf8(code)), { made: now }));
}
