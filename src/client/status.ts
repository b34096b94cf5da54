import { owed } from "../catalogs/freshness.ts";
import { isActive, masterOf, type Mesh, personalOf, suspendedIn } from "../profiles/mesh.ts";
import { rosterOf } from "../profiles/roster.ts";
import type { Entry } from "../catalogs/merge.ts";
import { journalOf, readEntries } from "./catalog.ts";
import { type Client, type Self, selfOf } from "./client.ts";
import { keylessCatalogs } from "./keyless.ts";
import { loadCatalog, loadMesh } from "./known.ts";
import { accusations, namesIn } from "./device-names.ts";
import { unchecked, vouchedIn } from "./snapshot-rows.ts";
import { lastSeen } from "./witness-heads.ts";
import type { RefusedRow, SyncRow } from "./sync.ts";

/** The state of this device as it knows it without asking anybody. Times are milliseconds of this device's clock. */
export type Status = {
  readonly address: string;
  readonly fingerprint: string;
  readonly device: { readonly name: string; readonly fingerprint: string; readonly role: "admin" | "member" | "none"; readonly state: Self["state"] | "disabled" };
  readonly portal: { readonly url: string; readonly fingerprint: string };
  readonly synced: number | null;
  /** When the portal last turned this device away, if no sync succeeded since. */
  readonly refused: number | null;
  readonly unsent: number;
  readonly owed: number;
  /** Of how many catalogs this device was not given the newest key yet: an administration device does that when it syncs. */
  readonly keyless: number;
  readonly devices: number;
  /** Devices that nothing was heard of for over seven days (decision 6.5). */
  readonly silent: readonly { readonly name: string; readonly days: number }[];
  /** How many commits this device took on the word of the one that let it in and has not read itself yet. */
  readonly unchecked: number;
  /** How many changes can never be read any more, since the portal forgot them, and whose word is taken for what came of them. */
  readonly onTrust: readonly { readonly by: string; readonly changes: number }[];
  /** Which device found that another wrote down false states for new devices. */
  readonly accused: readonly { readonly by: string; readonly maker: string }[];
  readonly version: { readonly g: number; readonly n: number } | null;
};

/** Reads the state of this device from its home. */
export async function statusOf(client: Client): Promise<Status> {
  const self = await selfOf(client);
  const entries = await knownDevices(client, self);
  return client.rows.read(async (rows) => {
    const mesh = await loadMesh(rows, self.master);
    const synced = await rows.get<SyncRow>("synced", "synced");
    const known = mesh.history.length > 0;
    let [unsent, due] = [0, 0];
    const onTrust = new Map<string, number>();
    const notRead = known ? await unchecked(rows, personalOf(mesh).payload.applications.map((one) => one.id)) : 0;
    for (const { id } of known ? personalOf(mesh).payload.applications : []) {
      for (const { from, maker, to } of await vouchedIn(rows, id)) onTrust.set(maker, (onTrust.get(maker) ?? 0) + to - from);
      for (const { changes } of await journalOf(rows, id)) unsent += changes.length;
      due += isOwed(mesh, id, (await loadCatalog(rows, id))?.chain, synced?.portalTime ?? client.now()) ? 1 : 0;
    }
    return {
      address: self.address,
      fingerprint: self.master,
      device: { name: namesIn(entries, mesh).get(self.device) ?? self.name, fingerprint: self.device, ...standing(mesh, self, synced?.portalTime ?? client.now()) },
      portal: { url: self.portal.url, fingerprint: self.portal.id },
      synced: synced?.at ?? null,
      refused: (await rows.get<RefusedRow>("refused", "refused"))?.at ?? null,
      unsent,
      owed: due,
      keyless: known ? await keylessCatalogs(rows, mesh, self.device) : 0,
      devices: known ? personalOf(mesh).payload.devices.filter((device) => device.status === "active").length : 0,
      silent: known ? silentOf(mesh, entries, self, synced?.portalTime ?? client.now()) : [],
      unchecked: notRead,
      onTrust: [...onTrust].map(([maker, changes]) => ({ by: namesIn(entries, mesh).get(maker) ?? maker.slice(0, 9), changes })),
      accused: accusations(entries, mesh),
      version: known ? { g: personalOf(mesh).payload.g, n: personalOf(mesh).payload.n } : null,
    };
  });
}

function standing(mesh: Mesh, self: Self, now: number): Pick<Status["device"], "role" | "state"> {
  const entry = mesh.history.length === 0 ? undefined : personalOf(mesh).payload.devices.find((device) => device.id === self.device);
  if (entry === undefined) return { role: "none", state: self.state };
  return { role: entry.role, state: self.state === "connected" && !isActive(mesh, self.device, now) ? "disabled" : self.state };
}

/** The catalog of devices, or nothing before the first sync. */
async function knownDevices(client: Client, self: Self): Promise<readonly Entry[]> {
  const there = self.state === "connected" && (await client.rows.read((rows) => rows.get("types", "devices"))) !== undefined;
  return there ? readEntries(client, "devices") : [];
}

function silentOf(mesh: Mesh, entries: readonly Entry[], self: Self, now: number): Status["silent"] {
  const [seen, names] = [lastSeen(entries), namesIn(entries, mesh)];
  return personalOf(mesh).payload.devices.flatMap(({ id, status }) => {
    const days = Math.floor((now - (seen.get(id) ?? now)) / 86_400_000);
    return status === "active" && id !== self.device && days > 7 ? [{ name: names.get(id) ?? id.slice(0, 9), days }] : [];
  });
}

function isOwed(mesh: Mesh, id: string, chain: Parameters<typeof owed>[0], now: number): boolean {
  const due = chain === undefined ? undefined : owed(chain, id, mesh.history, suspendedIn(mesh, now), rosterOf(masterOf(mesh)));
  return due !== undefined && (due.roll || due.grants.length > 0);
}
