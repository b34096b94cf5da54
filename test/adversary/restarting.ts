import { OUTSIDE } from "../../src/cli/portal/store.ts";
import { openMemoryDepot } from "../../src/store/memory-depot.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { withDepot } from "../../src/store/with-depot.ts";
import { logKeyTexts } from "../../src/cli/portal/log-keys.ts";
import { Receipts } from "../../src/notary/keeping/receipts.ts";
import { type Faults, withFaults } from "../../src/store/faults.ts";
import type { OpenKeyring } from "../../src/keyring/keyring.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import type { Store, Writing } from "../../src/store/store.ts";
import { type DeviceOptions, newDevice, type PortalKeys, startPortal, type TestDevice, type TestPortal } from "../support/world.ts";
import { beginLog, logOver, signers } from "./log-doubles.ts";

/** A store in memory that knows which shelves it has, so that it can be copied. */
export type Copyable = Store & { copy(): Promise<Copyable> };

/** Opens an empty one. */
export function openCopyable(store: Store = openMemoryStore(), shelves: Set<string> = new Set()): Copyable {
  const noting = (writing: Writing): Writing => ({
    get: (shelf, key) => writing.get(shelf, key),
    list: (shelf, prefix, options) => writing.list(shelf, prefix, options),
    leaves: (from, limit) => writing.leaves(from, limit),
    remove: (shelf, key) => writing.remove(shelf, key),
    append: (leaf) => writing.append(leaf),
    put: (shelf, key, value) => {
      shelves.add(shelf);
      return writing.put(shelf, key, value);
    },
  });
  return {
    read: (work) => store.read(work),
    transact: (work) => store.transact((writing) => work(noting(writing))),
    close: () => store.close(),
    copy: async () => {
      const copy = openMemoryStore();
      for (const shelf of shelves) {
        const entries = await store.read((r) => r.list(shelf, ""));
        await copy.transact(async (w) => {
          for (const { key, value } of entries) await w.put(shelf, key, value);
        });
      }
      return openCopyable(copy, new Set(shelves));
    },
  };
}

/** A device as it can be started again: its home, its keys. */
type Kept = { readonly store: Copyable; readonly keyring: OpenKeyring; readonly master: OpenKeyring; readonly options: DeviceOptions };

/** A keyring with the same keys, of which one may be erased without harm to the other. */
export async function copyOfKeyring(keyring: OpenKeyring): Promise<OpenKeyring> {
  const copy = openMemoryKeyring();
  await copy.addAll(await Promise.all((await keyring.list()).map(async ({ id, purpose }) => ({ id, purpose, secret: await keyring.open(id) }))));
  // Rows of a home are sealed under what is derived from its keyring: both derive alike.
  return { ...copy, derive: (label, length) => keyring.derive(label, length) };
}

/** A portal and devices at one moment, from which any number of runs can begin: all works on copies. */
export type Moment = { readonly portalStore: Copyable; readonly keys: PortalKeys; readonly now: number; readonly kept: Readonly<Record<string, Kept>> };

/** One run from a moment: everything works on copies, and every store can be made to fail; `restartLog` opens the portal's log anew, where it has one, as another process does. */
export type Run = { readonly portal: TestPortal; readonly restartLog: () => Promise<void>; readonly portalFaults: Faults; readonly devices: Readonly<Record<string, TestDevice>>; readonly faults: Readonly<Record<string, Faults>> };

/**
 * Begins a run; `logged` has the portal begin a log there, to which it tells what it held before, and `parted` keep its blobs and tiles in a depot, over the same storage that
 * fails. For the latter it must have none yet.
 */
export async function runFrom(moment: Moment, { logged = false, parted = false }: { readonly logged?: boolean; readonly parted?: boolean } = {}): Promise<Run> {
  const portalFaults = withFaults(await moment.portalStore.copy());
  const store = parted ? withDepot(portalFaults.store, portalFaults.depot(openMemoryDepot()), OUTSIDE) : portalFaults.store;
  const clock = { now: moment.now };
  if (logged) await beginLog(store);
  const begun = await Promise.all(logged ? [logOver(store, () => clock.now)] : []);
  const log = { now: begun[0] };
  const receipts = { of: async (...recorded: Parameters<Receipts["of"]>) => (log.now === undefined ? undefined : new Receipts({ keeper: log.now.keeper, now: () => clock.now, origin: signers.origin, signer: signers.note }).of(...recorded)) };
  const portal = await startPortal("example.com", store, { keys: moment.keys, clock, ...(logged ? { profile: { logKeys: logKeyTexts(signers), version: 2 }, receipts } : {}) });
  portal.pages.get = async (path) => log.now?.pages(path);
  const restartLog = async (): Promise<void> => {
    if (logged) log.now = await logOver(store, () => clock.now);
  };
  const devices: Record<string, TestDevice> = {};
  const faults: Record<string, Faults> = {};
  for (const [name, kept] of Object.entries(moment.kept)) {
    const faulty = withFaults(await kept.store.copy());
    faults[name] = faulty;
    devices[name] = newDevice(portal, { ...kept.options, store: faulty.store, keyring: await copyOfKeyring(kept.keyring), master: await copyOfKeyring(kept.master) });
  }
  return { portal, restartLog, portalFaults, devices, faults };
}
