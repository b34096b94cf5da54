import type { MasterId } from "../../profiles/types.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Reading, Store } from "../../store/store.ts";
import { personalKey, wordsIn } from "../personals.ts";
import { type AccountRecord, type MeshRecord, parseRow, putRow, row, shelf, type Stamped } from "../records.ts";
import { rowsOf } from "./walk.ts";

/** `closing` until the 72 hours of a deletion are over, `closed` until what is kept of it is taken away. */
export type AccountState = "open" | "closing" | "closed";

/** An account as its operator sees it. Times are milliseconds. */
export type AccountLine = {
  readonly address: string;
  readonly master: MasterId;
  readonly state: AccountState;
  readonly octets: number;
  /** Octets that it may keep, where its operator gave it others than everybody. */
  readonly quota: number | undefined;
  /** Devices that may enter now, as the newest Personal Profile lists them. */
  readonly devices: number;
  /** When one of its devices last opened a session or changed something; who only asks in an old session is not seen. */
  readonly seen: number | undefined;
  readonly closes: number | undefined;
};

/** Every account that is kept here, in the order of their Master Profiles' identifiers. */
export async function* accountsOf(reading: Reading, now: number): AsyncGenerator<AccountLine> {
  for await (const { key, value } of rowsOf(reading, shelf.meshes)) {
    const record = parseRow<MeshRecord>(value);
    const { address, octets, quota, closes } = record;
    yield { address, master: key as MasterId, state: stateOf(record, now), octets, quota, devices: await devicesOf(reading, key, record), seen: await lastSeen(reading, key), closes };
  }
}

/** How an account stands. */
export function stateOf({ closes }: MeshRecord, now: number): AccountState {
  if (closes === undefined) return "open";
  return now < closes ? "closing" : "closed";
}

/** Gives one account room of its own; `undefined` gives it what everybody has. A portal that is running takes it up at once. */
export async function setQuota(store: Store, address: string, octets: number | undefined): Promise<void> {
  await store.transact(async (w) => {
    const account = await row<AccountRecord>(w, shelf.accounts, address);
    const record = account === undefined ? undefined : await row<MeshRecord>(w, shelf.meshes, account.master);
    demand(account !== undefined && record?.address === address, "account-unknown", `There is no account ${address} here.`, "See: mesh portal accounts");
    const { quota: _, ...rest } = record;
    // A new revision: what a running portal keeps in memory of this mesh is read again.
    await putRow(w, shelf.meshes, account.master, { ...rest, revision: record.revision + 1, ...(octets === undefined ? {} : { quota: octets }) } satisfies MeshRecord);
  });
}

async function devicesOf(reading: Reading, master: string, version: MeshRecord): Promise<number> {
  const kept = await reading.get(shelf.personals, personalKey(master, version));
  return kept === undefined ? 0 : (await wordsIn(reading, kept)).profile.payload.devices.filter((device) => device.status === "active").length;
}

async function lastSeen(reading: Reading, master: string): Promise<number | undefined> {
  const times: number[] = [];
  for await (const { value } of rowsOf(reading, shelf.openings, `${master}/`)) times.push(parseRow<{ opened: number }>(value).opened);
  for (const from of [shelf.personals, shelf.applications]) {
    for (const { value } of await reading.list(from, `${master}/`, { reverse: true, limit: 1 })) times.push(parseRow<Stamped>(value).arrived);
  }
  for await (const { key } of rowsOf(reading, shelf.chains, `${master}/`)) {
    for (const { value } of await reading.list(shelf.commits, `${key}/`, { reverse: true, limit: 1 })) times.push(parseRow<Stamped>(value).arrived);
  }
  return times.length === 0 ? undefined : Math.max(...times);
}
