import { at } from "../profiles/history.ts";
import type { Mesh } from "../profiles/mesh.ts";
import type { MasterId } from "../profiles/types.ts";
import type { ResponseOf } from "../protocol/command.ts";
import { follow } from "../protocol/follow.ts";
import { demand } from "../refusals/mesh-error.ts";
import { CHEATS } from "./accuse.ts";
import { holdingPortalTo } from "./blame.ts";
import type { Client } from "./client.ts";
import { followLog, unlessConvicted } from "./follow-log.ts";
import type { Introduction } from "./introduction.ts";
import { loadMesh, saveMesh } from "./known.ts";
import { meetPortal, type PortalLink } from "./portal-link.ts";
import { type KnownHistory, knownOf, pullMesh } from "./pull-mesh.ts";
import type { SyncRow } from "./sync.ts";

/** A mesh as a follower knows it, and the portal's time when it was last shown all of it. */
export type Outlook = { readonly mesh: Mesh; readonly now: number };

/** So long a log that did not grow stands for a mesh that did not change: suspensions end by the time that the portal tells. */
const LOOK_MS = 60_000;

/** What a follower knows without asking: where it last was; undefined before it was shown anything. */
export async function lastKnown(client: Client, master: MasterId): Promise<Outlook | undefined> {
  return client.rows.read(async (rows) => {
    const [mesh, synced] = [await loadMesh(rows, master), await rows.get<SyncRow>("synced", "synced")];
    return mesh.history.length === 0 || synced === undefined ? undefined : { mesh, now: synced.portalTime };
  });
}

/**
 * Follows a mesh from outside it, over one connection, as a server does: judges what a portal shows as the devices of the mesh do, and holds it to its log.
 *
 * What it knows is kept in the rows of its client and never goes back.
 */
export class Follower {
  readonly #client: Client;
  readonly #introduction: Introduction;
  #link: PortalLink | undefined;
  #seen: { readonly tag: string; readonly at: number } | undefined;

  constructor(client: Client, introduction: Introduction) {
    this.#client = client;
    this.#introduction = introduction;
  }

  /**
   * Asks the portal how the mesh stands, and tells it once that is durable here; while the log has not grown nothing is asked or told.
   * @param tell is called before the log is asked about it: what the mesh signed holds, whatever its portal does about its log
   * @throws MeshError as a sync does, with nothing changed: `portal-*` for one that shows less than it did, or what does not hold, `service-*` for one that is away
   */
  async look(tell: (outlook: Outlook) => Promise<void>): Promise<void> {
    const client = this.#client;
    const { master, portal } = this.#introduction;
    const link = (this.#link ??= await meetPortal(client, portal.url, portal.id));
    try {
      // Asked before the rest, so that what comes in between is looked at the next time.
      const tag = await link.logTag(this.#seen?.tag);
      const here = client.now();
      if (tag !== undefined && tag === this.#seen?.tag && Math.abs(here - this.#seen.at) < LOOK_MS) return;
      const outlook = await this.#pull(link);
      await tell(outlook);
      await followLog(client, { link, ...outlook });
      this.#seen = tag === undefined ? undefined : { at: here, tag };
    } catch (error) {
      const told = await unlessConvicted(client, link, master, error);
      this.close();
      throw told;
    }
  }

  /** Lets go of the connection; the next look makes another. */
  close(): void {
    this.#link?.close();
    this.#link = undefined;
    this.#seen = undefined;
  }

  async #pull(link: PortalLink): Promise<Outlook> {
    const client = this.#client;
    const { master, pass, personal } = this.#introduction;
    const before = await client.rows.read((rows) => loadMesh(rows, master));
    const ask = (known: KnownHistory): Promise<ResponseOf<typeof follow>> => link.ask(follow, { ...known, master, pass, version: { g: personal.g, n: personal.n } });
    const first = await ask(knownOf(before));
    let shown: typeof first | undefined = first;
    const next = async (known: KnownHistory): Promise<ResponseOf<typeof follow>["profiles"]> => {
      const { profiles } = shown ?? (await ask(known));
      shown = undefined;
      return profiles;
    };
    const { standing } = first;
    const mesh = await holdingPortalTo(() => pullMesh(next, before, standing));
    demand(at(mesh.history, personal)?.digest === personal.digest, "portal-older-profile", "The portal does not show the version of the mesh at which this server was introduced to it.", CHEATS);
    await client.rows.transact(async (rows) => {
      await saveMesh(rows, before, mesh);
      await rows.put("synced", "synced", "", { at: client.now(), portalTime: standing.now } satisfies SyncRow);
    });
    return { mesh, now: standing.now };
  }
}
