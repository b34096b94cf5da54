import type { Jws, ObjectType, Signed } from "../../envelope/signed.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { countersignature } from "../../profiles/countersignature.ts";
import { deviceProfile } from "../../profiles/device.ts";
import { masterProfile } from "../../profiles/master.ts";
import { type PersonalProfile, personalProfile } from "../../profiles/personal.ts";
import { suspension } from "../../profiles/suspension.ts";
import type { Version } from "../../profiles/version.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { getProfiles } from "../../protocol/profiles.ts";
import type { Reading } from "../../store/store.ts";
import { type Context, memberOf, type Plan } from "../context.ts";
import { ANSWER_OCTETS } from "../limits.ts";
import { getObject, type MasterRow, ordinal, parseRow, row, shelf, type Stamped } from "../records.ts";

/** So many rows are looked at once. */
const ROWS = 32;

/** What an answer has room for still, in octets, and whether something did not fit. */
type Room = { octets: number; more: boolean };

/** GetProfiles: what the asker does not have yet, oldest first, within the size of one answer; only that is read. */
export async function decideGetProfiles(context: Context, request: RequestOf<typeof getProfiles>): Promise<Plan<ResponseOf<typeof getProfiles>>> {
  const { view, device } = memberOf(context);
  const { id, personal } = view;
  const room: Room = { octets: ANSWER_OCTETS, more: false };
  const { applications: listed, devices: current } = personal.profile.payload;
  const response = await context.read(async (r) => {
    const masters = await rowsAfter(r, shelf.masters, id, ordinal(request.mastersAfter), masterProfile, room);
    const suspensions = await rowsAfter(r, shelf.suspensions, id, ordinal(request.suspensionsAfter), suspension, room);
    const personals = await rowsAfter(r, shelf.personals, id, versionKey(request.personalsAfter), personalProfile, room);
    // The devices that these versions list first go along: whoever reads the versions needs them at once.
    const known = new Set(personals.length === 0 ? [] : (await versionUpTo(r, id, request.personalsAfter))?.devices.map((one) => one.id));
    const entries = [...personals.flatMap((one) => one.object.payload.devices.filter((entry) => !known.has(entry.id))), ...current.filter((entry) => request.devices.includes(entry.id))];
    const devices = await Promise.all([...new Set(entries.map((entry) => entry.digest))].map(async (digest) => (await getObject(r, digest, deviceProfile)).jws));
    const applications: Jws[] = [];
    for (const application of request.applications) {
      const readable = listed.some((one) => one.id === application && one.readers.includes(device));
      const stamp = readable ? await row<Stamped>(r, shelf.applications, `${id}/${application}`) : undefined;
      const profile = stamp === undefined ? undefined : await getObject(r, stamp.digest, applicationProfile);
      if (profile !== undefined && fits(room, profile)) applications.push(profile.jws);
    }
    return {
      applications,
      devices,
      masters: await Promise.all(masters.map(async ({ stamp, object }) => ({ object: object.jws, ...(await consentOf(r, stamp)) }))),
      more: room.more,
      personals: personals.map(({ stamp, object }) => ({ arrived: stamp.arrived, object: object.jws })),
      suspensions: suspensions.map(({ stamp, object }) => ({ arrived: stamp.arrived, object: object.jws })),
    };
  });
  return { response };
}

/** The objects that a shelf has of a mesh after a key, oldest first, as many as there is room for. */
async function rowsAfter<P>(reading: Reading, from: string, id: string, after: string, type: ObjectType<P>, room: Room): Promise<readonly { readonly stamp: Stamped; readonly object: Signed<P> }[]> {
  const found: { stamp: Stamped; object: Signed<P> }[] = [];
  for (let last = `${id}/${after}`; ; ) {
    const rows = await reading.list(from, `${id}/`, { after: last, limit: ROWS });
    for (const { key, value } of rows) {
      const stamp = parseRow<Stamped>(value);
      const object = await getObject(reading, stamp.digest, type);
      if (!fits(room, object)) return found;
      found.push({ stamp, object });
      last = key;
    }
    if (rows.length < ROWS) return found;
  }
}

function fits(room: Room, { jws }: Signed<unknown>): boolean {
  room.octets -= jws.payload.length + jws.signature.length + 200;
  room.more ||= room.octets < 0;
  return room.octets >= 0;
}

/** The newest version that is not after one. */
async function versionUpTo(reading: Reading, id: string, { g, n }: Version): Promise<PersonalProfile | undefined> {
  const [last] = await reading.list(shelf.personals, `${id}/`, { after: `${id}/${versionKey({ g, n: n + 1 })}`, reverse: true, limit: 1 });
  return last === undefined ? undefined : (await getObject(reading, parseRow<Stamped>(last.value).digest, personalProfile)).payload;
}

function versionKey({ g, n }: Version): string {
  return `${ordinal(g)}/${ordinal(n)}`;
}

async function consentOf(reading: Reading, { countersignature: digest }: MasterRow): Promise<{ readonly countersignature?: Jws }> {
  return digest === undefined ? {} : { countersignature: (await getObject(reading, digest, countersignature)).jws };
}
