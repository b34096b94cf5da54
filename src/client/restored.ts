import { readSigned } from "../envelope/signed.ts";
import { latest } from "../profiles/history.ts";
import { portalProfile } from "../profiles/portal.ts";
import { correctPortal } from "../profiles/validity.ts";
import { isAfter } from "../profiles/version.ts";
import { hello } from "../protocol/hello.ts";
import { status } from "../protocol/profiles.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Client, Self } from "./client.ts";
import { loadCatalogs, loadMesh } from "./known.ts";
import type { PortalLink } from "./portal-link.ts";

/** How a portal that went back looks from a device that did not. */
const WENT_BACK: ReadonlySet<string> = new Set(["portal-older-profile", "portal-older-catalog", "portal-forked-catalog", "portal-missing-profile"]);

/**
 * The error to tell when a portal shows less than before: `portal-restored`, if it says under its identity key that it was
 * restored from a backup since this device was last in step with it; else the error as it is.
 *
 * It stays an alarm: a portal may say so to hide what it took back. Nothing is lost by that, since this device gives up
 * nothing, and its owner is told what to ask.
 */
export async function unlessRestored(client: Client, link: PortalLink, self: Self, error: unknown): Promise<unknown> {
  if (!(error instanceof MeshError) || !WENT_BACK.has(error.code)) return error;
  try {
    const { payload } = await correctPortal(readSigned((await link.ask(hello, {})).portal, portalProfile), self.portal.id);
    const last = await client.rows.read((rows) => rows.get<{ portalTime: number }>("synced", "synced"));
    const { restored } = payload;
    if (restored === undefined || restored.at < (last?.portalTime ?? 0)) return error;
    const newer = await countNewer(client, link, self);
    return new MeshError(
      "portal-restored",
      `Your portal says that it was restored on ${day(restored.at)} from a backup of ${day(restored.backup)}; it lacks ${newer} thing${newer === 1 ? "" : "s"} that this device has.`,
      "Nothing here was changed. If its operator says the same, give it back what it lost: mesh sync --bring-back",
      error,
    );
  } catch (other) {
    // Whatever ails the explanation, the alarm is what counts.
    if (!(other instanceof MeshError)) throw other;
    return error;
  }
}

/** How many profiles, suspensions and commits this device knows beyond what the portal says it has. */
async function countNewer(client: Client, link: PortalLink, self: Self): Promise<number> {
  const answer = await link.call({ device: self.device, master: self.master, authenticationKey: self.authenticationKey }, status, {});
  return client.rows.read(async (rows) => {
    const mesh = await loadMesh(rows, self.master);
    const catalogs = await loadCatalogs(rows, latest(mesh.history)?.payload.applications ?? []);
    const commits = [...catalogs].reduce((sum, [id, { chain }]) => sum + Math.max(0, chain.index - (answer.heads.find((head) => head.catalog === id)?.index ?? 0)), 0);
    const profiles = mesh.history.filter(({ profile }) => isAfter(profile.payload, answer.personal)).length + Math.max(0, mesh.masters.length - answer.master.version);
    return commits + profiles + Math.max(0, mesh.suspensions.length - answer.suspensions);
  });
}

function day(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
