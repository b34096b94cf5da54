import type { Mesh } from "../profiles/mesh.ts";
import { rosterOf } from "../profiles/roster.ts";
import type { Suspended } from "../profiles/suspension.ts";
import type { MasterId } from "../profiles/types.ts";
import { verifyDevice } from "../profiles/validity.ts";
import type { Part } from "../protocol/parts.ts";
import { demand } from "../refusals/mesh-error.ts";
import { applyCommit } from "./apply-commit.ts";
import { applyApplication, applyMaster, applyPersonal, applyPin, applySuspension } from "./apply-profiles.ts";
import type { Context } from "./context.ts";
import { type Draft, type Effect, octetsOf, suspendedNow } from "./draft.ts";
import type { Logged } from "./logged.ts";
import { needsPast, type ReadPart, readPart } from "./read-part.ts";
import type { View } from "./view.ts";

/** What a batch is judged against: where its mesh stands, or nothing if it begins one, and all of the mesh for parts that look back. */
export type Base = { readonly id: MasterId; readonly view: View | undefined; readonly whole: () => Promise<Mesh>; readonly read: Context["read"] };

/** Where a mesh stands after a batch, what must be written to make it so, what the log says of it, and the octets that this adds to the account. */
export type Applied = Pick<View, "id" | "roster" | "personal"> & { readonly suspensions: number; readonly suspended: Suspended; readonly effects: readonly Effect[]; readonly logged: Logged; readonly octets: number };

/**
 * Judges the parts of a batch one after another, each against the mesh as the parts before it leave it (decision 8.2).
 *
 * A part that is already true, octet for octet, is passed over: a batch may be sent again. Throws the refusal of the first
 * part that does not hold; nothing is written here.
 */
export async function applyParts({ id, view, whole, read }: Base, parts: readonly Part[], now: number): Promise<Applied> {
  const all = parts.map(readPart);
  const mesh = view === undefined || needsPast(view, all) ? await whole() : undefined;
  const draft: Draft = { id, now, read, mesh, ...found(view, mesh), chains: new Map(), applications: new Map(), offered: new Map(), effects: [], recordings: [], moved: false, octets: 0 };
  for (const part of all) {
    const before = draft.effects.length;
    await applyPart(draft, part);
    // A PIN is a row that expires: no object stays of it.
    if (draft.effects.length > before && part.kind !== "pin") draft.octets += octetsOf(part.signed.jws) + (part.kind === "commit" ? (part.body?.length ?? 0) : 0);
  }
  const { effects, moved, octets, recordings, roster } = draft;
  const personal = draft.versions.at(-1);
  demand(personal !== undefined && personal.profile.payload.g === roster?.version, "profile-out-of-order", "A new Master Profile comes together with the first Personal Profile under it.");
  return { id, roster, personal, suspensions: draft.mesh?.suspensions.length ?? 0, suspended: suspendedNow(draft), effects, logged: { recordings, ...(moved ? { due: id } : {}) }, octets };
}

/** What counts in the mesh before the batch; a mesh that was read whole may be newer than the view. */
function found(view: View | undefined, mesh: Mesh | undefined): Pick<Draft, "roster" | "versions"> {
  if (mesh === undefined) return { roster: view?.roster, versions: view === undefined ? [] : [view.personal] };
  const master = mesh.masters.at(-1);
  return { roster: master === undefined ? undefined : rosterOf(master), versions: mesh.history.slice(-1) };
}

async function applyPart(draft: Draft, part: ReadPart): Promise<void> {
  switch (part.kind) {
    case "master":
      return applyMaster(draft, part);
    case "personal":
      return applyPersonal(draft, part);
    case "device": {
      const device = await verifyDevice(part.signed);
      draft.offered.set(device.payload.id, device);
      return;
    }
    case "application":
      return applyApplication(draft, part);
    case "suspension":
      return applySuspension(draft, part);
    case "pin":
      return applyPin(draft, part);
    case "commit":
      return applyCommit(draft, part);
  }
}
