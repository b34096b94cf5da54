import { addPassword } from "../../src/applications/passwords/edit.ts";
import { editEntries } from "../../src/client/catalog.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { makePin } from "../../src/client/operations/pin.ts";
import { sync } from "../../src/client/sync.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import type { Role } from "../../src/profiles/personal.ts";
import { newDevice, startPortal, type TestDevice } from "../support/world.ts";
import { address, household, whoIs } from "./household.ts";
import { type Moment, openCopyable } from "./restarting.ts";

/** How a guest asked to be let in. */
export type Asked = "words" | "pin";

/** A household made once, from which any number of runs can begin: making one anew costs more than a run. */
export type Prepared = {
  readonly moment: Moment;
  /** The options with which a guest goes on joining, by its name. */
  readonly guests: Readonly<Record<string, { readonly witness: string; readonly asked: Asked; readonly pinCode?: string }>>;
  readonly master: string;
};

const HOUR = 3_600_000;

/** Makes a desktop that holds the Master key, other devices with their roles, guests that have asked and wait, and logins that all but the guests have. */
export async function prepare(others: Readonly<Record<string, Role>>, guests: Readonly<Record<string, Asked>> = {}, logins: readonly string[] = []): Promise<Prepared> {
  const portalStore = openCopyable();
  const portal = await startPortal("example.com", portalStore);
  const names = ["desktop", ...Object.keys(others), ...Object.keys(guests)];
  const kept = Object.fromEntries(names.map((name) => [name, { store: openCopyable(), keyring: openMemoryKeyring(), master: openMemoryKeyring(), options: { holdsMaster: name === "desktop" } }]));
  const device = (name: string): TestDevice => newDevice(portal, { ...kept[name]?.options, ...kept[name] });
  const { desktop, at, devices } = await household(others, portal, device);
  const { master } = await whoIs(desktop);
  const waiting: Record<string, Prepared["guests"][string]> = {};
  for (const [name, asked] of Object.entries(guests)) {
    const pinCode = asked === "pin" ? (await makePin(desktop.client, 24 * HOUR)).pin : undefined;
    const { witness } = await joinMesh(device(name).client, { address, portal: at, deviceName: name, ...(pinCode === undefined ? { master } : { pinCode }) });
    waiting[name] = { asked, witness, ...(pinCode === undefined ? {} : { pinCode }) };
  }
  for (const name of logins) await editEntries(desktop.client, "passwords", (entries) => [addPassword(entries, { name, username: name, password: name })]);
  for (const one of [desktop, ...Object.values(devices)]) await sync(one.client);
  return { moment: { portalStore, keys: portal.keys, now: portal.clock.now, kept }, guests: waiting, master };
}
