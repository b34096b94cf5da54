import { ordinal } from "../../bytes/ordinal.ts";
import type { Jws, ObjectType, Signed } from "../../envelope/signed.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { deviceProfile } from "../../profiles/device.ts";
import { masterProfile } from "../../profiles/master.ts";
import type { PersonalProfile } from "../../profiles/personal.ts";
import { suspension } from "../../profiles/suspension.ts";
import { isAfter, type Version } from "../../profiles/version.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { getProfiles } from "../../protocol/profiles.ts";
import type { Reading } from "../../store/store.ts";
import { type Context, memberOf, type Plan } from "../context.ts";
import { ANSWER_OCTETS } from "../limits.ts";
import { shownMaster } from "./profiles.ts";
import { personalIn, personalKey } from "../personals.ts";
import { getObject, parseRow, row, shelf, type Stamped } from "../records.ts";

/** So many rows are looked at once. */
const ROWS = 32;

type Request = RequestOf<typeof getProfiles>;
type Known = Pick<Request, "mastersAfter" | "personalsAfter" | "suspensionsAfter">;
type Answer = ResponseOf<typeof getProfiles>;

/** What an answer has room for still, in octets. */
type Room = { octets: number; empty: boolean };

/** An object of a shelf, with its row. */
type Found<P> = { readonly stamp: Stamped; readonly object: Signed<P> };

/** GetProfiles: what the asker does not have yet, in the order in which it is judged, as much as fits one answer; only that is read. */
export async function decideGetProfiles(context: Context, request: Request): Promise<Plan<Answer>> {
  const { view, device } = memberOf(context);
  const { id, personal } = view;
  const { applications: listed, devices: current } = personal.profile.payload;
  const response = await context.read(async (r) => {
    const room: Room = { octets: ANSWER_OCTETS, empty: true };
    const [applications, devices]: [Jws[], Jws[]] = [[], []];
    let more = false;
    for (const application of request.applications) {
      const readable = listed.some((one) => one.id === application && one.readers.includes(device));
      const stamp = readable ? await row<Stamped>(r, shelf.applications, `${id}/${application}`) : undefined;
      const profile = stamp === undefined ? undefined : await getObject(r, stamp.digest, applicationProfile);
      if (profile === undefined) continue;
      if (fits(room, profile)) applications.push(profile.jws);
      else more = true;
    }
    for (const { digest } of current.filter((entry) => request.devices.includes(entry.id))) {
      const profile = await getObject(r, digest, deviceProfile);
      if (fits(room, profile)) devices.push(profile.jws);
      else more = true;
    }
    const history = await historyAfter(r, id, request, room);
    return { ...history, applications, devices: [...devices, ...history.devices], more: more || history.more };
  });
  return { response };
}

/**
 * Masters, suspensions and versions of the Personal Profile as they follow one another, cut where the room ends: a version comes after the
 * Master Profile that it names and the suspensions before it, together with the devices that it lists first. So whatever was
 * cut off, what is there can be judged, and is judged the same.
 */
export async function historyAfter(r: Reading, id: string, request: Known, room: Room = { octets: ANSWER_OCTETS, empty: true }): Promise<Pick<Answer, "devices" | "masters" | "more" | "personals" | "suspensions">> {
  const masters = await begin(rowsAfter(r, shelf.masters, id, `${id}/${ordinal(request.mastersAfter)}`, named(masterProfile)));
  const suspensions = await begin(rowsAfter(r, shelf.suspensions, id, `${id}/${ordinal(request.suspensionsAfter)}`, named(suspension)));
  const personals = await begin(rowsAfter(r, shelf.personals, id, personalKey(id, request.personalsAfter), personalIn));
  const known = new Set(personals.next === undefined ? [] : (await versionUpTo(r, id, request.personalsAfter))?.devices.map((one) => one.id));
  const answer: { [K in "devices" | "masters" | "personals" | "suspensions"]: Answer[K] } = { devices: [], masters: [], personals: [], suspensions: [] };
  for (;;) {
    const [master, held, personal] = [masters.next, suspensions.next, personals.next];
    const version = personal?.object.payload;
    if (master !== undefined && (version === undefined || master.object.payload.version <= version.g)) {
      if (!fits(room, master.object)) return { ...answer, more: true };
      answer.masters.push(await shownMaster(r, master.stamp));
      await masters.step();
    } else if (held !== undefined && (version === undefined || isAfter(version, held.object.payload))) {
      if (!fits(room, held.object)) return { ...answer, more: true };
      answer.suspensions.push({ arrived: held.stamp.arrived, object: held.object.jws });
      await suspensions.step();
    } else if (personal !== undefined) {
      const fresh = personal.object.payload.devices.filter((entry) => !known.has(entry.id));
      const devices = await Promise.all(fresh.map((entry) => getObject(r, entry.digest, deviceProfile)));
      if (!fits(room, personal.object, ...devices)) return { ...answer, more: true };
      for (const entry of fresh) known.add(entry.id);
      answer.devices.push(...devices.map((one) => one.jws));
      answer.personals.push({ arrived: personal.stamp.arrived, object: personal.object.jws });
      await personals.step();
    } else return { ...answer, more: false };
  }
}

/** A listing with its next row in view. */
async function begin<P>(rows: AsyncGenerator<Found<P>, void>): Promise<{ next: Found<P> | undefined; step(): Promise<void> }> {
  const listing = {
    next: undefined as Found<P> | undefined,
    async step() {
      listing.next = (await rows.next()).value ?? undefined;
    },
  };
  await listing.step();
  return listing;
}

/** Reads the object of a row. */
type Read<P> = (reading: Reading, row: Uint8Array) => Promise<Signed<P>>;

/** Reads objects that their rows name. */
function named<P>(type: ObjectType<P>): Read<P> {
  return (reading, value) => getObject(reading, parseRow<Stamped>(value).digest, type);
}

/** The objects that a shelf has of a mesh after a key, oldest first. */
async function* rowsAfter<P>(reading: Reading, from: string, id: string, after: string, read: Read<P>): AsyncGenerator<Found<P>, void> {
  for (let last = after; ; ) {
    const rows = await reading.list(from, `${id}/`, { after: last, limit: ROWS });
    for (const { key, value } of rows) {
      yield { stamp: parseRow<Stamped>(value), object: await read(reading, value) };
      last = key;
    }
    if (rows.length < ROWS) return;
  }
}

/** Takes room for objects that go together; the first always fit, whatever they take, since one batch held them. */
function fits(room: Room, ...objects: readonly Signed<unknown>[]): boolean {
  const octets = objects.reduce((sum, { jws }) => sum + jws.payload.length + jws.signature.length + 200, 0);
  if (octets > room.octets && !room.empty) return false;
  room.octets -= octets;
  room.empty = false;
  return true;
}

/** The newest version that is not after one. */
async function versionUpTo(reading: Reading, id: string, { g, n }: Version): Promise<PersonalProfile | undefined> {
  const [last] = await reading.list(shelf.personals, `${id}/`, { after: personalKey(id, { g, n: n + 1 }), reverse: true, limit: 1 });
  return last === undefined ? undefined : (await personalIn(reading, last.value)).payload;
}
