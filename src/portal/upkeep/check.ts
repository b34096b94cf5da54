import { canonicalBytes, type Json } from "../../bytes/canonical-json.ts";
import { equalBytes } from "../../bytes/equal.ts";
import { readSigned, verifySigned } from "../../envelope/signed.ts";
import type { Chain } from "../../catalogs/chain.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { connectionAnswer, connectionRequest } from "../../profiles/connection.ts";
import { deviceProfile } from "../../profiles/device.ts";
import { verifyingKey } from "../../profiles/keys.ts";
import type { Mesh } from "../../profiles/mesh.ts";
import { rosterOf } from "../../profiles/roster.ts";
import { NOBODY } from "../../profiles/suspension.ts";
import type { MasterId } from "../../profiles/types.ts";
import { correctAnswer, verifyDevice } from "../../profiles/validity.ts";
import { release } from "../../protocol/releases.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Reading } from "../../store/store.ts";
import { type AccountRecord, type ApplicationRow, getObject, type MasterRow, type MeshRecord, parseRow, row, shelf, type Stamped } from "../records.ts";
import { keptApart, personalIn } from "../personals.ts";
import type { ReleaseRow } from "../releases.ts";
import type { RequestRecord } from "../requests.ts";
import type { Finding, Repair, Trouble } from "./finding.ts";
import { referencesOf } from "./references.ts";
import { type Fault, replay, type Replayed } from "./replay.ts";
import type { PutRow } from "../decide/blobs.ts";
import { checkLog } from "./check-log.ts";
import { checkSessions } from "./check-sessions.ts";
import { rowsOf } from "./walk.ts";

/** What a check went through, and the objects that nobody uses any more: harmless, and room that can be had back. */
export type Checked = { readonly accounts: number; readonly commits: number; readonly objects: number; readonly sessions: number; readonly unused: readonly { readonly shelf: string; readonly key: string }[] };

/**
 * Goes through all that a portal keeps, in one snapshot: every object is judged anew, every row that follows from others is made anew and compared.
 *
 * Findings go to `tell` as they are made. Accounts that are being taken away are passed over.
 */
export async function check(reading: Reading, now: number, tell: (finding: Finding) => void): Promise<Checked> {
  const used = { objects: new Set<string>(), bodies: new Set<string>() };
  let [accounts, commits, objects] = [0, 0, 0];
  const known = new Set<string>();
  for await (const { key, value } of rowsOf(reading, shelf.meshes)) {
    known.add(key);
    accounts += 1;
    const record = parsed<MeshRecord>(shelf.meshes, key, value, tell);
    if (record === undefined || record.purging === true) continue;
    commits += await checkMesh(reading, key as MasterId, record, value, now, tell);
    await collect(reading, key, used);
  }
  await checkNames(reading, tell);
  for (const from of [shelf.masters, shelf.personals, shelf.suspensions, shelf.applications, shelf.commits, shelf.chains, shelf.releases, shelf.starts, shelf.pins, shelf.requests, shelf.blobs, shelf.puts] as const) await checkOwners(reading, from, known, tell);
  const sessions = await checkSessions(reading, known, tell);
  await checkLog(reading, tell);
  const unused: { shelf: string; key: string }[] = [];
  for (const [on, set] of [[shelf.objects, used.objects], [shelf.bodies, used.bodies]] as const) {
    for await (const { key } of rowsOf(reading, on)) {
      objects += 1;
      if (!set.has(key)) unused.push({ shelf: on, key });
    }
  }
  return { accounts, commits, objects, sessions, unused };
}

/** Reads a row; one that does not parse is told and passed over. */
export function parsed<T>(from: string, key: string, value: Uint8Array, tell: (finding: Finding) => void): T | undefined {
  try {
    return parseRow<T>(value);
  } catch {
    tell({ what: "row-malformed", where: `${from} ${key}`, why: "This row does not parse.", repairs: [] });
    return undefined;
  }
}

async function collect(reading: Reading, master: string, used: { readonly objects: Set<string>; readonly bodies: Set<string> }): Promise<void> {
  try {
    const { objects, bodies } = await referencesOf(reading, master);
    for (const digest of objects) used.objects.add(digest);
    for (const digest of bodies) used.bodies.add(digest);
  } catch (error) {
    // What it needs is not known, so nothing may be called unused.
    if (!(error instanceof MeshError)) throw error;
    for (const [on, set] of [[shelf.objects, used.objects], [shelf.bodies, used.bodies]] as const) for await (const { key } of rowsOf(reading, on)) set.add(key);
  }
}

async function checkMesh(reading: Reading, id: MasterId, record: MeshRecord, value: Uint8Array, now: number, tell: (finding: Finding) => void): Promise<number> {
  const about = (what: Trouble, where: string, why: string, repairs: readonly Repair[] = []): void => tell({ what, where: `${record.address}: ${where}`, why, repairs });
  const faults: Fault[] = [];
  let replayed: Replayed | undefined;
  try {
    replayed = await replay(reading, id, record, now, faults);
    for (const fault of faults) about(fault.what, fault.where, fault.why);
    if (replayed !== undefined) await checkRequests(reading, replayed.mesh, about);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    about("row-malformed", "its rows", error.message);
  }
  if (replayed === undefined) return 0;
  await checkCopies(reading, id, replayed.mesh, about);
  await checkPuts(reading, id, replayed.blobs, now, about);
  await checkHeads(reading, id, replayed, about);
  checkCounts(id, record, value, replayed, about);
  return [...replayed.chains.values()].reduce((sum, chain) => sum + chain.index, 0);
}

type About = (what: Trouble, where: string, why: string, repairs?: readonly Repair[]) => void;

/** The counts of a mesh follow from its objects. */
function checkCounts(id: MasterId, record: MeshRecord, value: Uint8Array, { mesh, octets }: Replayed, about: About): void {
  const { g, n } = mesh.history.at(-1)?.profile.payload ?? { g: 0, n: 0 };
  const right: MeshRecord = { ...record, master: mesh.masters.length, g, n, suspensions: mesh.suspensions.length, octets, revision: record.revision + 1 };
  const same = record.master === right.master && record.g === g && record.n === n && record.suspensions === right.suspensions && record.octets === octets;
  if (!same) about("counts-wrong", "counts and room used", `It says ${record.octets} octets, there are ${octets}.`, [{ shelf: shelf.meshes, key: id, seen: value, put: canonicalBytes(right as Json) }]);
}

/** What a row says of its object, so that the object need not be read, is what the object says. */
async function checkCopies(reading: Reading, id: MasterId, mesh: Mesh, about: About): Promise<void> {
  const compare = (from: string, key: string, value: Uint8Array, right: object): void => {
    const put = canonicalBytes({ ...parseRow<object>(value), ...right } as Json);
    if (!equalBytes(put, value)) about("copy-wrong", `${from} ${key.slice(id.length + 1)}`, "This row does not say what its object says.", [{ shelf: from, key, seen: value, put }]);
  };
  for await (const { key, value } of rowsOf(reading, shelf.masters, `${id}/`)) {
    const { digest, roster } = parseRow<MasterRow>(value);
    const master = mesh.masters.find((one) => one.digest === digest);
    if (roster !== undefined && master !== undefined) compare(shelf.masters, key, value, { roster: rosterOf(master) });
  }
  for await (const { key, value } of rowsOf(reading, shelf.personals, `${id}/`)) {
    if (keptApart(value) === undefined || parseRow<{ words?: object }>(value).words === undefined) continue;
    const { jws, kid } = await personalIn(reading, value);
    compare(shelf.personals, key, value, { words: { kid, payload: jws.payload } });
  }
  for await (const { key, value } of rowsOf(reading, shelf.releases, `${id}/`)) {
    const { snapshot, trail } = (await getObject(reading, parseRow<ReleaseRow>(value).digest, release)).payload;
    compare(shelf.releases, key, value, { trail: { digest: trail, index: snapshot.index } });
  }
  for await (const { key, value } of rowsOf(reading, shelf.applications, `${id}/`)) {
    const { digest, version } = parseRow<ApplicationRow>(value);
    if (version !== undefined) compare(shelf.applications, key, value, { version: (await getObject(reading, digest, applicationProfile)).payload.version });
  }
}

/** Each blob is listed with its size, and nothing else is: who put it, and when, is not known any more where the row was lost. */
async function checkPuts(reading: Reading, id: MasterId, sizes: ReadonlyMap<string, number>, now: number, about: About): Promise<void> {
  const listed = new Set<string>();
  for await (const { key, value } of rowsOf(reading, shelf.puts, `${id}/`)) {
    const digest = key.slice(id.length + 1);
    listed.add(digest);
    const size = sizes.get(digest);
    const put = size === undefined ? undefined : canonicalBytes({ ...parseRow<PutRow>(value), size } as Json);
    if (put === undefined || !equalBytes(put, value)) about("copy-wrong", `listed blob ${digest}`, put === undefined ? "It is not there." : "It has another size than it is listed with.", [{ shelf: shelf.puts, key, seen: value, put }]);
  }
  for (const [digest, size] of sizes) {
    if (!listed.has(digest)) about("copy-wrong", `blob ${digest}`, "It is not listed.", [{ shelf: shelf.puts, key: `${id}/${digest}`, seen: undefined, put: canonicalBytes({ arrived: now, size } satisfies PutRow) }]);
  }
}

/** The head of a chain follows from its commits, except that a head beyond them tells of commits that were lost. */
async function checkHeads(reading: Reading, id: MasterId, { chains }: Replayed, about: About): Promise<void> {
  const seen = new Set<string>();
  for await (const { key, value } of rowsOf(reading, shelf.chains, `${id}/`)) {
    const catalog = key.slice(id.length + 1);
    seen.add(catalog);
    const chain = chains.get(catalog);
    const said = parseRow<Chain>(value);
    if (said.index > (chain?.index ?? 0)) about("rows-missing", `catalog ${catalog}`, `Its head is commit ${said.index}, but there are only ${chain?.index ?? 0}.`);
    else if (chain !== undefined && !equalBytes(canonicalBytes(chain as Json), value)) about("head-wrong", `catalog ${catalog}`, "Its head is not that of its commits.", [{ shelf: shelf.chains, key, seen: value, put: canonicalBytes(chain as Json) }]);
  }
  for (const [catalog, chain] of chains) {
    if (!seen.has(catalog)) about("head-wrong", `catalog ${catalog}`, "It has commits and no head.", [{ shelf: shelf.chains, key: `${id}/${catalog}`, seen: undefined, put: canonicalBytes(chain as Json) }]);
  }
}

/** Connection requests and their answers are true; each requesting device is known by the profile in its request. */
async function checkRequests(reading: Reading, mesh: Mesh, about: About): Promise<void> {
  const asking = new Map<string, string>();
  for await (const { key, value } of rowsOf(reading, shelf.requests, `${mesh.id}/`)) {
    try {
      const record = parseRow<RequestRecord>(value);
      const request = await getObject(reading, record.digest, connectionRequest);
      const device = await verifyDevice(readSigned(request.payload.device, deviceProfile));
      await verifySigned(request, verifyingKey(device.payload.signatureKey));
      demand(key === `${mesh.id}/${request.payload.witness}` && record.device === device.payload.id, "profile-wrong-id", "It is about another device than it says.");
      asking.set(`${mesh.id}/${device.payload.id}`, device.digest);
      if (record.answer === undefined) continue;
      const answer = await getObject(reading, record.answer, connectionAnswer);
      const master = mesh.masters[answer.payload.g - 1];
      demand(master !== undefined && answer.payload.witness === request.payload.witness, "profile-wrong-id", "Its answer is another request's.");
      await correctAnswer(answer, rosterOf(master), NOBODY);
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      about(error.code === "store-damaged" ? "object-damaged" : "object-false", `connection request ${key.slice(mesh.id.length + 1)}`, error.message);
    }
  }
  for await (const { key, value } of rowsOf(reading, shelf.requesters, `${mesh.id}/`)) {
    const right = asking.get(key);
    const put = right === undefined ? undefined : canonicalBytes({ device: right });
    asking.delete(key);
    if (put === undefined || !equalBytes(put, value)) about("request-stray", `device ${key.slice(mesh.id.length + 1)}`, "It is listed as asking to join and no request says so.", [{ shelf: shelf.requesters, key, seen: value, put }]);
  }
  for (const [key, device] of asking) about("request-stray", `device ${key.slice(mesh.id.length + 1)}`, "It asks to join and is not listed as doing so.", [{ shelf: shelf.requesters, key, seen: undefined, put: canonicalBytes({ device }) }]);
}

/** Every mesh stands under its name, unless another took the name when it was free; every name leads to a mesh. */
async function checkNames(reading: Reading, tell: (finding: Finding) => void): Promise<void> {
  for await (const { key, value } of rowsOf(reading, shelf.meshes)) {
    const record = parsed<MeshRecord>(shelf.meshes, key, value, () => undefined);
    if (record === undefined || record.purging === true) continue;
    const name = await row<AccountRecord>(reading, shelf.accounts, record.address).catch(() => undefined);
    if (name !== undefined && (name.master !== key ? record.closes !== undefined : name.closes === record.closes)) continue;
    const seen = await reading.get(shelf.accounts, record.address);
    const put = canonicalBytes({ master: key, ...(record.closes === undefined ? {} : { closes: record.closes }) });
    const mine = name === undefined || name.master === key;
    tell({ what: "name-wrong", where: record.address, why: mine ? "Its name does not lead to it as it should." : "Two open accounts have this name.", repairs: mine ? [{ shelf: shelf.accounts, key: record.address, seen, put }] : [] });
  }
  for await (const { key, value } of rowsOf(reading, shelf.accounts)) {
    const name = parsed<AccountRecord>(shelf.accounts, key, value, () => undefined);
    const record = name === undefined ? undefined : await row<MeshRecord>(reading, shelf.meshes, name.master).catch(() => undefined);
    if (name !== undefined && record === undefined) tell({ what: "name-wrong", where: key, why: "This name leads to no account.", repairs: [{ shelf: shelf.accounts, key, seen: value, put: undefined }] });
  }
}

/** What stands under a mesh that is not there was left by nothing that this program does. */
async function checkOwners(reading: Reading, from: string, known: ReadonlySet<string>, tell: (finding: Finding) => void): Promise<void> {
  const told = new Set<string>();
  for await (const { key, value } of rowsOf(reading, from)) {
    const [master = ""] = key.split("/");
    if (from !== shelf.blobs) parsed<Stamped>(from, key, value, tell);
    if (known.has(master) || told.has(master)) continue;
    told.add(master);
    tell({ what: "rows-missing", where: `${from} ${master}`, why: "There are rows of an account, but no account.", repairs: [] });
  }
}
