import type { Store } from "../../store/store.ts";
import { type MeshRecord, parseRow, shelf } from "../records.ts";
import { isLive, type RequestRecord } from "../requests.ts";
import { type AccountState, stateOf } from "./accounts.ts";
import { liveRowsOf } from "./walk.ts";

/** How much there is of what a portal keeps; sums over everybody, so it names nobody. */
export type Census = { readonly accounts: Readonly<Record<AccountState, number>>; readonly octets: number; readonly sessions: number; readonly waiting: number };

/** Counts while the portal goes on serving; what changes meanwhile is counted or not. */
export async function takeCensus(store: Store, now: number): Promise<Census> {
  const accounts = { open: 0, closing: 0, closed: 0 };
  let [octets, sessions, waiting] = [0, 0, 0];
  for await (const { value } of liveRowsOf(store, shelf.meshes)) {
    const record = parseRow<MeshRecord>(value);
    accounts[stateOf(record, now)] += 1;
    octets += record.octets;
  }
  for await (const _ of liveRowsOf(store, shelf.openings)) sessions += 1;
  for await (const { value } of liveRowsOf(store, shelf.requests)) {
    const record = parseRow<RequestRecord>(value);
    if (record.answer === undefined && isLive(record, now)) waiting += 1;
  }
  return { accounts, octets, sessions, waiting };
}
