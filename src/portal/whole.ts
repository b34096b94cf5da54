import type { Chain } from "../catalogs/chain.ts";
import { type Account, account as accountType } from "../profiles/account.ts";
import { type ApplicationProfile, applicationProfile } from "../profiles/application.ts";
import { type DeviceProfile, deviceProfile } from "../profiles/device.ts";
import { type History, latest } from "../profiles/history.ts";
import { type MasterProfile, masterProfile } from "../profiles/master.ts";
import type { Mesh } from "../profiles/mesh.ts";
import type { Correct } from "../profiles/stages.ts";
import { suspension, type SuspensionEvent } from "../profiles/suspension.ts";
import type { MasterId } from "../profiles/types.ts";
import type { Reading } from "../store/store.ts";
import { personalIn } from "./personals.ts";
import { getObject, type MeshRecord, parseRow, row, shelf, type Stamped } from "./records.ts";

/**
 * All that a portal knows of one mesh, judged when it was taken in.
 *
 * It grows with everything that the mesh ever did, so only what must look far back asks for it: `View` is enough for the rest.
 */
export type Whole = Mesh & {
  readonly record: MeshRecord;
  readonly account: Correct<Account>;
  readonly applications: ReadonlyMap<string, Correct<ApplicationProfile>>;
  readonly chains: ReadonlyMap<string, Chain>;
};

/**
 * Reads a mesh from the store; `undefined` if this portal does not hold it.
 *
 * Everything on its shelves was judged before it was written, in the transaction that wrote it, and each object is found
 * by the digest of what was judged; it is not judged again here. Clients judge everything for themselves.
 */
export async function loadWhole(reading: Reading, id: MasterId): Promise<Whole | undefined> {
  const record = await row<MeshRecord>(reading, shelf.meshes, id);
  if (record === undefined || record.purging === true) return undefined;
  const masters = await Promise.all((await stamps(reading, shelf.masters, id)).map(async ({ digest }) => (await getObject(reading, digest, masterProfile)) as Correct<MasterProfile>));
  const history = await Promise.all((await reading.list(shelf.personals, `${id}/`)).map(async ({ value }) => ({ arrived: parseRow<Stamped>(value).arrived, profile: (await personalIn(reading, value)) as History[number]["profile"] })));
  const suspensions = await Promise.all((await stamps(reading, shelf.suspensions, id)).map(async ({ digest, arrived }) => ({ arrived, object: (await getObject(reading, digest, suspension)) as SuspensionEvent["object"] })));
  const listed = new Map<string, string>(history.flatMap((one) => one.profile.payload.devices.map((device): [string, string] => [device.id, device.digest])));
  const devices = new Map(await Promise.all([...listed].map(async ([device, digest]): Promise<[string, Correct<DeviceProfile>]> => [device, (await getObject(reading, digest, deviceProfile)) as Correct<DeviceProfile>])));
  const applications = new Map<string, Correct<ApplicationProfile>>();
  const chains = new Map<string, Chain>();
  for (const { id: application } of latest(history)?.payload.applications ?? []) {
    const stamp = await row<Stamped>(reading, shelf.applications, `${id}/${application}`);
    if (stamp !== undefined) applications.set(application, (await getObject(reading, stamp.digest, applicationProfile)) as Correct<ApplicationProfile>);
    const chain = await row<Chain>(reading, shelf.chains, `${id}/${application}`);
    if (chain !== undefined) chains.set(application, chain);
  }
  const account = (await getObject(reading, record.account, accountType)) as Correct<Account>;
  return { id, record, account, masters, history, devices, suspensions, applications, chains };
}

async function stamps(reading: Reading, from: string, id: string): Promise<readonly Stamped[]> {
  return (await reading.list(from, `${id}/`)).map((entry) => parseRow<Stamped>(entry.value));
}
