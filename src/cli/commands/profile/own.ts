import { examine } from "../../../client/examine/examine.ts";
import { memberSelf } from "../../../client/client.ts";
import { loadMesh } from "../../../client/known.ts";
import { type LogRow, logRowOf } from "../../../client/follow-log.ts";
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
  const { head, mesh, synced } = await client.rows.read(async (rows) => ({ head: await logRowOf(rows), mesh: await loadMesh(rows, self.master), synced: await rows.get<SyncRow>("synced", "synced") }));
  const masters = mesh.masters.map((signed) => ({ kind: "Master Profile", signed }) as const);
  const master = await examine({ kind: "Master Profile", signed: masterOf(mesh) }, masters);
  const personal = await examine({ kind: "Personal Profile", signed: personalOf(mesh) }, masters);
  const evidence = evidenceOf(self.portal.id, personalOf(mesh).digest, head, synced);
  const when = evidence === undefined ? "" : `${new Date(evidence.at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const validity = evidence === undefined ? undefined : `Valid: current by ${evidence.kind === "log-proof" ? "the log" : "the word"} of your portal at ${when}`;
  call.output.data({ master: objectDocument(master, evidence), personal: objectDocument(personal, evidence) }, `${objectText(master, validity)}\n\n${objectText(personal, validity)}`);
}

/** The log's proof where it was about this very version, of which the Master Profile is part by its digest; else what the portal said. */
function evidenceOf(portal: string, personal: string, head: LogRow | undefined, synced: SyncRow | undefined): Evidence | undefined {
  if (head?.current?.digest === personal) return { at: head.current.time, kind: "log-proof", log: head.origin, portal };
  return synced === undefined ? undefined : { at: synced.portalTime, kind: "portal-said", portal };
}
