import { type Jws, readSigned } from "../../envelope/signed.ts";
import { at } from "../../profiles/history.ts";
import type { Mesh } from "../../profiles/mesh.ts";
import { personalProfile } from "../../profiles/personal.ts";
import { sameOrEvidence } from "../../profiles/validity.ts";
import { connectComplete } from "../../protocol/connections.ts";
import type { Part } from "../../protocol/parts.ts";
import { publish } from "../../protocol/profiles.ts";
import { RefusedByPortal } from "../../protocol/wire.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { acknowledge } from "../acknowledged.ts";
import type { Client } from "../client.ts";
import { isOvertaken } from "../overtaken.ts";
import type { PortalLink, Requester } from "../portal-link.ts";

/**
 * A batch that holds a Personal Profile, recorded before it is sent (decision 4.2).
 *
 * Once a version (g, n) is signed, no other object is ever signed for it by this device: the batch is sent until the
 * version is taken, by it or by another device.
 */
export type Outgoing = { readonly answer?: Jws; readonly parts: readonly Part[] };

/** Refusals that say nothing of what was sent, and may be over the next time. */
const PASSING = /^(?:service|session|request|answer)-/;

/** Records a batch and sends it; what comes of it is found by the next pull. */
export async function submit(client: Client, link: PortalLink, requester: Requester, outgoing: Outgoing): Promise<void> {
  await client.rows.transact((rows) => rows.put("outgoing", "outgoing", "", outgoing));
  await send(client, link, requester, outgoing);
}

/** Sends what was recorded and not yet settled; returns whether there was anything. */
export async function resume(client: Client, link: PortalLink, requester: Requester, mesh: Mesh): Promise<boolean> {
  const outgoing = await client.rows.read((rows) => rows.get<Outgoing>("outgoing", "outgoing"));
  if (outgoing === undefined) return false;
  if (isSettled(mesh, outgoing)) {
    await settle(client);
    return false;
  }
  try {
    await send(client, link, requester, outgoing);
  } catch (error) {
    // Another version stands in its place: that settles it too.
    if (!isOvertaken(error)) throw error;
  }
  return true;
}

async function send(client: Client, link: PortalLink, requester: Requester, outgoing: Outgoing): Promise<void> {
  const parts = [...outgoing.parts];
  try {
    if (outgoing.answer === undefined) await link.call(requester, publish, { parts });
    else await link.call(requester, connectComplete, { answer: outgoing.answer, ...(parts.length === 0 ? {} : { parts }) });
    await settle(client, parts);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    const gone = error.code === "connection-unknown" || error.code === "connection-answered";
    if (gone && outgoing.answer !== undefined && outgoing.parts.length > 0) {
      // Nothing of the batch stands, and its numbers are not used for anything else: whoever was rejected meanwhile is not let in.
      await settle(client);
      throw new MeshError("profile-out-of-order", "Another device answered this request at the same time.", "See who is in: mesh device list");
    }
    // Another device was quicker, or so the portal says: the next pull shows whose version stands, and settles this one.
    if (error.code === "profile-two-versions") throw new MeshError("profile-out-of-order", "Another device changed your mesh at the same time.", "Run the same command again.");
    // What is refused for what it is would be refused for ever, and nothing else could be done meanwhile; what is signed is kept where it was recorded.
    if (error instanceof RefusedByPortal && !PASSING.test(error.code)) await settle(client);
    throw error;
  }
}

/** Whether the version is taken; if it is by the same key and yet another one, somebody else has that key, or this home was restored. */
function isSettled(mesh: Mesh, outgoing: Outgoing): boolean {
  // A batch may hold several versions: whoever took only some of them is sent it again.
  return outgoing.parts.every((part) => {
    if (part.kind !== "personal") return true;
    const ours = readSigned(part.object, personalProfile);
    const taken = at(mesh.history, ours.payload);
    if (taken?.kid === ours.kid) sameOrEvidence(taken, ours, "Personal Profile");
    return taken !== undefined;
  });
}

/** Ends a batch, and keeps what of it the portal has acknowledged. */
async function settle(client: Client, acknowledged: readonly Part[] = []): Promise<void> {
  await client.rows.transact(async (rows) => {
    await rows.remove("outgoing", "outgoing", "");
    await acknowledge(rows, acknowledged);
  });
}
