import { addPassword } from "../../../src/applications/passwords/edit.ts";
import { editEntries } from "../../../src/client/catalog.ts";
import { createMesh } from "../../../src/client/operations/create.ts";
import { joinMesh } from "../../../src/client/operations/join.ts";
import { makePin } from "../../../src/client/operations/pin.ts";
import { pull, sync } from "../../../src/client/sync.ts";
import { openMemoryKeyring } from "../../../src/keyring/memory.ts";
import { catalogRead } from "../../../src/protocol/catalogs.ts";
import { get, getProfiles } from "../../../src/protocol/profiles.ts";
import type { Role } from "../../../src/profiles/personal.ts";
import { newDevice, startPortal, type TestDevice, type TestPortal } from "../../support/world.ts";
import { address, household, idOf, save, whoIs } from "../household.ts";
import { type Moment, openCopyable } from "../restarting.ts";

/** How a guest asked to be let in. */
export type Asked = "words" | "pin";

/** A household made once, from which any number of runs can begin: making one anew costs more than a run. */
export type Prepared = {
  readonly moment: Moment;
  /** The options with which a guest goes on joining, by its name. */
  readonly guests: Readonly<Record<string, { readonly witness: string; readonly asked: Asked; readonly pinCode?: string; /** the words that it shows */ readonly words: string }>>;
  /** The mesh; empty where `founder` is to make it. */
  readonly master: string;
  readonly founder?: string;
  /** The values that were in the catalog of passwords at the beginning. */
  readonly logins: readonly string[];
  /** The identifiers of all catalogs, that of passwords last. */
  readonly catalogs: readonly string[];
  /** What the portal answers another account, by command. */
  readonly bobs: Readonly<Record<string, Uint8Array>>;
  /** The identifiers of all devices. */
  readonly ids: Readonly<Record<string, string>>;
};

const HOUR = 3_600_000;

/** Makes a desktop that holds the Master key, other devices with their roles, guests that have asked and wait, and logins that all but the guests have; `bob` has an account at the same portal. */
export async function prepare(others: Readonly<Record<string, Role>>, guests: Readonly<Record<string, Asked>> = {}, logins: readonly string[] = [], bob = false): Promise<Prepared> {
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
    const { witness, words } = await joinMesh(device(name).client, { address, portal: at, deviceName: name, ...(pinCode === undefined ? {} : { pinCode }) });
    waiting[name] = { asked, witness, words, ...(pinCode === undefined ? {} : { pinCode }) };
  }
  for (const name of logins) await editEntries(desktop.client, "passwords", (entries) => [addPassword(entries, { name, username: name, password: name })]);
  for (const one of [desktop, ...Object.values(devices)]) await sync(one.client);
  const bobs = bob ? await answersToBob(portal) : {};
  const ids = Object.fromEntries(await Promise.all(names.map(async (name): Promise<[string, string]> => [name, (await whoIs(device(name))).device])));
  return { bobs, ids, logins, catalogs: await Promise.all((["devices", "administration", "passwords"] as const).map((type) => idOf(desktop, type))), moment: { portalStore, keys: portal.keys, now: portal.clock.now, kept }, guests: waiting, master };
}

/** A device that has nothing yet, at a portal where nobody but Bob has anything. */
export async function prepareNobody(founder: string, bob: boolean): Promise<Prepared> {
  const portalStore = openCopyable();
  const portal = await startPortal("example.com", portalStore);
  const kept = { [founder]: { store: openCopyable(), keyring: openMemoryKeyring(), master: openMemoryKeyring(), options: { holdsMaster: true } } };
  return { bobs: bob ? await answersToBob(portal) : {}, ids: {}, logins: [], catalogs: [], moment: { portalStore, keys: portal.keys, now: portal.clock.now, kept }, founder, guests: {}, master: "" };
}

/** Another person with an account at the same portal: what it answers to her devices, to be told to others. */
async function answersToBob(portal: TestPortal): Promise<Readonly<Record<string, Uint8Array>>> {
  const said: Record<string, Uint8Array> = {};
  const bob = newDevice({ ...portal, meddler: { answer: (request, answer) => {
    if (answer.status === 200) said[Object.keys(JSON.parse(new TextDecoder().decode(request.body)) as object)[0] ?? ""] ??= answer.body;
    return answer;
  } } });
  await createMesh(bob.client, bob.master, { address: "bob@example.com", portal: { url: portal.url, pin: portal.pin }, deviceName: "desktop" });
  await save(bob, "bobs");
  const { link, requester } = await pull(bob.client);
  const catalog = (await idOf(bob, "passwords")) as never;
  await link.call(requester, getProfiles, { applications: [catalog], devices: [], mastersAfter: 0, personalsAfter: { g: 0, n: 0 }, suspensionsAfter: 0 });
  await link.call(requester, catalogRead, { after: 0, catalog });
  await link.ask(get, { address: "bob@example.com" });
  link.close();
  return said;
}
