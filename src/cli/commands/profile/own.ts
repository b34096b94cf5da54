import { examine } from "../../../client/examine/examine.ts";
import { memberSelf } from "../../../client/client.ts";
import { loadMesh } from "../../../client/known.ts";
import type { SyncRow } from "../../../client/sync.ts";
import { masterOf, personalOf } from "../../../profiles/mesh.ts";
import type { Evidence } from "../../../profiles/stages.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { objectDocument, objectText } from "./object.ts";

/** The profiles of this device's own mesh, as it holds them: judged when they came, and current by the portal's word. */
export async function showOwn(call: Call): Promise<void> {
  const client = await openClient(call, "offline");
  const self = await memberSelf(client);
  const { mesh, synced } = await client.rows.read(async (rows) => ({ mesh: await loadMesh(rows, self.master), synced: await rows.get<SyncRow>("synced", "synced") }));
  const masters = mesh.masters.map((signed) => ({ kind: "Master Profile", signed }) as const);
  const master = await examine({ kind: "Master Profile", signed: masterOf(mesh) }, masters);
  const personal = await examine({ kind: "Personal Profile", signed: personalOf(mesh) }, masters);
  const evidence: Evidence | undefined = synced === undefined ? undefined : { kind: "portal-said", portal: self.portal.id, at: synced.portalTime };
  const validity = synced === undefined ? undefined : `Valid: current by the word of your portal at ${new Date(synced.at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  call.output.data({ master: objectDocument(master, evidence), personal: objectDocument(personal, evidence) }, `${objectText(master, validity)}\n\n${objectText(personal, validity)}`);
}
