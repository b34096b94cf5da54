import { owed } from "../catalogs/freshness.ts";
import { isActive, masterOf, type Mesh, personalOf, suspendedIn } from "../profiles/mesh.ts";
import { journalOf } from "./catalog.ts";
import { type Client, type Self, selfOf } from "./client.ts";
import { loadCatalog, loadMesh } from "./known.ts";
import type { SyncRow } from "./sync.ts";

/** The state of this device as it knows it without asking anybody. Times are milliseconds of this device's clock. */
export type Status = {
  readonly address: string;
  readonly fingerprint: string;
  readonly device: { readonly name: string; readonly fingerprint: string; readonly role: "admin" | "member" | "none"; readonly state: Self["state"] | "disabled" };
  readonly portal: { readonly url: string; readonly fingerprint: string };
  readonly synced: number | null;
  readonly unsent: number;
  readonly owed: number;
  readonly devices: number;
  readonly version: { readonly g: number; readonly n: number } | null;
};

/** Reads the state of this device from its home. */
export async function statusOf(client: Client): Promise<Status> {
  const self = await selfOf(client);
  return client.rows.read(async (rows) => {
    const mesh = await loadMesh(rows, self.master);
    const synced = await rows.get<SyncRow>("synced", "synced");
    const known = mesh.history.length > 0;
    let [unsent, due] = [0, 0];
    for (const { id } of known ? personalOf(mesh).payload.applications : []) {
      unsent += (await journalOf(rows, id)).length;
      due += isOwed(mesh, id, (await loadCatalog(rows, id))?.chain, synced?.portalTime ?? client.now()) ? 1 : 0;
    }
    return {
      address: self.address,
      fingerprint: self.master,
      device: { name: self.name, fingerprint: self.device, ...standing(mesh, self, synced?.portalTime ?? client.now()) },
      portal: { url: self.portal.url, fingerprint: self.portal.id },
      synced: synced?.at ?? null,
      unsent,
      owed: due,
      devices: known ? personalOf(mesh).payload.devices.filter((device) => device.status === "active").length : 0,
      version: known ? { g: personalOf(mesh).payload.g, n: personalOf(mesh).payload.n } : null,
    };
  });
}

function standing(mesh: Mesh, self: Self, now: number): Pick<Status["device"], "role" | "state"> {
  const entry = mesh.history.length === 0 ? undefined : personalOf(mesh).payload.devices.find((device) => device.id === self.device);
  if (entry === undefined) return { role: "none", state: self.state };
  return { role: entry.role, state: self.state === "connected" && !isActive(mesh, self.device, now) ? "disabled" : self.state };
}

function isOwed(mesh: Mesh, id: string, chain: Parameters<typeof owed>[0], now: number): boolean {
  const due = chain === undefined ? undefined : owed(chain, id, mesh.history, suspendedIn(mesh, now), masterOf(mesh));
  return due !== undefined && (due.roll || due.grants.length > 0);
}
