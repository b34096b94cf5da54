import type { Chain } from "../catalogs/chain.ts";
import type { Jws, Verified } from "../envelope/signed.ts";
import type { Recording } from "../notary/keeping/record.ts";
import { type ApplicationProfile, applicationProfile } from "../profiles/application.ts";
import { type DeviceProfile, deviceProfile } from "../profiles/device.ts";
import type { KnownWords } from "../profiles/history.ts";
import { type Mesh, suspendedIn } from "../profiles/mesh.ts";
import { deviceEntry } from "../profiles/personal.ts";
import type { Roster } from "../profiles/roster.ts";
import type { Correct } from "../profiles/stages.ts";
import { NOBODY, type Suspended } from "../profiles/suspension.ts";
import type { MasterId } from "../profiles/types.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Writing } from "../store/store.ts";
import type { Context } from "./context.ts";
import { type ApplicationRow, getObject, row, shelf } from "./records.ts";

/** One write that a batch makes once it is accepted whole. */
export type Effect = (writing: Writing) => Promise<void>;

/** A batch while it is judged: the mesh as the parts so far leave it. */
export type Draft = {
  readonly id: MasterId;
  readonly now: number;
  readonly read: Context["read"];
  /** All of the mesh; `undefined` where no part looks back and nobody was ever suspended. */
  mesh: Mesh | undefined;
  roster: Roster | undefined;
  /** The Personal Profile that the batch found, if there is one, and those that it adds. */
  readonly versions: KnownWords[];
  readonly chains: Map<string, Chain | undefined>;
  readonly applications: Map<string, Correct<ApplicationProfile> | undefined>;
  readonly offered: Map<string, Verified<DeviceProfile>>;
  readonly effects: Effect[];
  /** What the log will say of it, in the order of its parts. */
  readonly recordings: Recording[];
  /** Whether it appends to a catalog. */
  moved: boolean;
  octets: number;
};

/** What an object counts for in the room that an account has: octets as sent. */
export function octetsOf({ payload, signature }: Pick<Jws, "payload" | "signature">): number {
  return payload.length + signature.length;
}

/** Who stands where in the Master Profile that counts now. */
export function rosterNow({ roster }: Draft): Roster {
  demand(roster !== undefined, "profile-malformed", "An account is created together with its Master Profile.");
  return roster;
}

/** The Personal Profile that counts now. */
export function personalNow({ versions }: Draft): KnownWords["profile"] | undefined {
  return versions.at(-1)?.profile;
}

/** Who is suspended now. */
export function suspendedNow({ mesh, now }: Draft): Suspended {
  return mesh === undefined ? NOBODY : suspendedIn(mesh, now);
}

/** The profile of a device that the mesh lists. */
export async function deviceIn(draft: Draft, id: string): Promise<Correct<DeviceProfile> | undefined> {
  if (draft.mesh !== undefined) return draft.mesh.devices.get(id);
  const entry = deviceEntry(personalNow(draft)?.payload ?? { devices: [] }, id);
  return entry === undefined ? undefined : draft.read(async (r) => (await getObject(r, entry.digest, deviceProfile)) as Correct<DeviceProfile>);
}

/** Where a catalog's chain stands. */
export async function chainIn({ chains, id, read }: Draft, catalog: string): Promise<Chain | undefined> {
  if (!chains.has(catalog)) chains.set(catalog, await read((r) => row<Chain>(r, shelf.chains, `${id}/${catalog}`)));
  return chains.get(catalog);
}

/** The Application Profile that counts now. */
export async function applicationIn({ applications, id, read }: Draft, application: string): Promise<Correct<ApplicationProfile> | undefined> {
  if (!applications.has(application)) {
    applications.set(application, await read(async (r) => {
      const stamp = await row<ApplicationRow>(r, shelf.applications, `${id}/${application}`);
      return stamp === undefined ? undefined : ((await getObject(r, stamp.digest, applicationProfile)) as Correct<ApplicationProfile>);
    }));
  }
  return applications.get(application);
}
