import { MAX_ADMINISTRATION_KEYS } from "../../profiles/master.ts";
import { deviceEntry, type Head, type Role } from "../../profiles/personal.ts";
import { signObject, type Jws } from "../../envelope/signed.ts";
import { type ConnectionAnswer, connectionAnswer, pinProof, type SnapshotName } from "../../profiles/connection.ts";
import { isActive, type Mesh, masterOf, personalOf, withMaster, withPersonal } from "../../profiles/mesh.ts";
import { connectComplete } from "../../protocol/connections.ts";
import type { Part } from "../../protocol/parts.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { catalogOf, editEntries, readEntries } from "../catalog.ts";
import { type Client, signerOf } from "../client.ts";
import { change } from "../../catalogs/merge.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { unlessOvertaken } from "../overtaken.ts";
import { namesIn } from "../device-names.ts";
import { freeName } from "../devices.ts";
import { headOf, loadCatalog } from "../known.ts";
import { snapshotOf } from "../snapshot-rows.ts";
import { dueFrom, makeDue } from "../push.ts";
import { pull, push } from "../sync.ts";
import type { Synced } from "../synced.ts";
import { type OpenRequest, openRequests, selectRequest } from "./requests.ts";
import { submit } from "./submit.ts";
import { type Ground, groundOf, underNewMaster } from "./masters.ts";
import { headsOf, nextPersonal, requireAdministrator, requireRoom, withDevice, withReader } from "./versions.ts";

/** What the accepting person is told: three words to type on the new device, and the name it has from now on. */
export type Accepted = { readonly answer: string; readonly name: string };

/** Accepts the request that a witness or six words name (decisions 5.2, 5.4). */
export async function acceptConnection(client: Client, selector: string, role: Role): Promise<Accepted> {
  return unlessOvertaken(client, () => acceptOnce(client, selector, role));
}

async function acceptOnce(client: Client, selector: string, role: Role): Promise<Accepted> {
  const synced = await pull(client);
  try {
    requireAdministrator(synced.mesh, synced.self);
    const { open } = await openRequests(client, synced);
    const waiting = open.filter((one) => one.request.payload.kind === "words");
    const before = await acceptedBefore(client, synced, selector);
    if (before !== undefined && !waiting.some((one) => one.request.payload.witness === before.witness)) {
      // Whoever was cut off after letting it in may not have sent its name yet.
      await pushLater(client);
      return { answer: before.answer, name: before.name };
    }
    const { request: chosen, words } = await selectRequest(waiting, selector);
    const { witness } = chosen.request.payload;
    const answer = words.answer.join(" ");
    // Written down before the device is let in: whoever is cut off after that can ask for the words again.
    await client.rows.transact((rows) => rows.put("accepted", "accepted", witness, { answer, device: chosen.device.payload.id, name: chosen.secret.name, witness, words: words.request.join(" ") } satisfies AcceptedRow));
    return { answer, name: await admit(client, synced, chosen, role, undefined) };
  } finally {
    synced.link.close();
  }
}

/** An acceptance as it is remembered at home. */
type AcceptedRow = { readonly witness: string; readonly words: string; readonly answer: string; readonly name: string; readonly device: string };

/** The acceptance that a selector names, if its device is in already: accepting twice says the same twice. */
async function acceptedBefore(client: Client, { mesh, now }: Synced, selector: string): Promise<AcceptedRow | undefined> {
  const rows = await client.rows.read((reading) => reading.list<AcceptedRow>("accepted", "accepted"));
  const said = selector.trim().toLowerCase().split(/\s+/).join(" ");
  return rows.map((one) => one.row).find((row) => (row.witness === selector.trim() || row.words === said) && isActive(mesh, row.device, now));
}

/** A version of the mesh that lists a device as active, and what must be sent to make it so. */
type Listing = { readonly grown: Mesh; readonly parts: readonly Part[] };

/** The version that lists a device which asked: a new one, or the last if it is in already and only its answer is kept no more. */
async function listing(client: Client, synced: Synced, chosen: OpenRequest, role: Role): Promise<Listing> {
  const { mesh, now, self } = synced;
  const { digest, payload: { id } } = chosen.device;
  if (isActive(mesh, id, now) && deviceEntry(personalOf(mesh).payload, id)?.digest === digest) return { grown: mesh, parts: [] };
  const administration = await client.rows.read((rows) => catalogOf(rows, "administration"));
  // Before anything is signed.
  requireRoom(mesh);
  const ground = role === "admin" ? await withAdministrator(client, synced, chosen) : groundOf(mesh);
  const { last, master } = ground;
  const devices = withDevice(last.devices, { digest, id, role, status: "active" });
  const personal = await nextPersonal(client, self, ground.mesh, { applications: withReader(last.applications, id, role, administration), devices }, master);
  const grown = await withPersonal(master === undefined ? ground.mesh : await withMaster(ground.mesh, master), personal, new Map([[id as string, chosen.device]]), now);
  return { grown, parts: [...ground.parts, { kind: "device", object: chosen.device.jws }, { kind: "personal", object: personal.jws }] };
}

/** Lets a device in: a Personal Profile that lists it, grants of the catalogs it reads and the signed answer in one batch; its name goes with the next push. */
export async function admit(client: Client, synced: Synced, chosen: OpenRequest, role: Role, pin: Uint8Array | undefined): Promise<string> {
  const { mesh, self, link, requester, key, now } = synced;
  const { witness } = chosen.request.payload;
  const id = chosen.device.payload.id;
  const { grown, parts: listed } = await listing(client, synced, chosen, role);
  const personal = personalOf(grown);
  const parts = [...listed];
  const heads: Head[] = [];
  const snapshots: SnapshotName[] = [];
  for (const { id: catalog } of personal.payload.applications) {
    const row = await client.rows.read((rows) => loadCatalog(rows, catalog));
    const due = dueFrom(grown, self, catalog, row, now);
    const made = due === undefined ? undefined : await makeDue(client, self, grown, catalog, row, due, key, now);
    if (made !== undefined) parts.push({ kind: "commit", object: made.sent.commit });
    const snapshot = await client.rows.read((rows) => snapshotOf(rows, catalog));
    if (snapshot !== undefined && personal.payload.applications.some((one) => one.id === catalog && one.readers.includes(id))) snapshots.push(snapshot);
    const chain = made?.row.chain ?? row?.chain;
    if (chain !== undefined) heads.push(headOf(catalog, chain, row?.profile));
  }
  const answer: ConnectionAnswer = {
    device: id,
    g: personal.payload.g,
    heads,
    master: self.master,
    masterDigest: masterOf(grown).digest,
    n: personal.payload.n,
    personal: personal.digest,
    result: "accepted",
    role: deviceEntry(personal.payload, id)?.role ?? role,
    v: 1,
    witness,
    ...(snapshots.length === 0 ? {} : { snapshots }),
    ...(pin === undefined ? {} : { pinProof: pinProof(pin, "answer", witness) }),
  };
  const signed = await signObject(connectionAnswer, answer, signerOf(client.keyring, self.administrationKey));
  // Named before it is let in: whoever is cut off in between leaves a name without a device, never a device without a name.
  const name = await nameDevice(client, mesh, id, chosen.secret.name);
  await submit(client, link, requester, { answer: signed.jws, parts });
  await pushLater(client);
  return name;
}

/** Sends what is in the journal; the device is in whether or not that succeeds, so trouble here waits for the next sync. */
async function pushLater(client: Client): Promise<void> {
  try {
    const synced = await pull(client);
    try {
      await push(client, synced);
    } finally {
      synced.link.close();
    }
  } catch (error) {
    if (!(error instanceof MeshError) || error.exit !== 7) throw error;
  }
}

async function withAdministrator(client: Client, { mesh, now, self }: Synced, { device, secret }: OpenRequest): Promise<Ground> {
  const keyring = await client.masterKeyring?.();
  demand(keyring !== undefined, "master-key-missing", "A new administration device needs the Master key, which is not on this device.", "Accept it as a member, or do this where the Master key is.");
  const { length } = masterOf(mesh).payload.administrationKeys;
  demand(length < MAX_ADMINISTRATION_KEYS, "device-too-many", `You have ${length} administration devices, as many as a mesh can have at once.`, "Accept it as a member, or disable an administration device that you do not use any more: `mesh device list`.");
  const { encryptionKey, signatureKey } = secret.administration;
  return underNewMaster(client, self, mesh, keyring, now, (keys) => [...keys, { device: device.payload.id, encryptionKey, signatureKey }], device);
}

async function nameDevice(client: Client, mesh: Mesh, device: string, wanted: string): Promise<string> {
  const names = namesIn(await readEntries(client, "devices"), mesh);
  const known = names.get(device);
  if (known !== undefined) return known;
  const name = freeName(mesh, names, wanted);
  await editEntries(client, "devices", () => [change(newEntryId(), undefined, { device, name })]);
  return name;
}

/** Rejects the request that a witness or six words name, or all of them. */
export async function rejectConnection(client: Client, selector: string | "--all"): Promise<number> {
  const synced = await pull(client);
  try {
    requireAdministrator(synced.mesh, synced.self);
    const { open, junk } = await openRequests(client, synced);
    const chosen = selector === "--all" ? [...open.map((one) => one.request), ...junk] : [(await selectRequest(open, selector)).request.request];
    for (const request of chosen) await reject(client, synced, request.payload.witness, request.kid);
    return chosen.length;
  } finally {
    synced.link.close();
  }
}

/** Signs and sends a rejection, so that no portal can forge one. */
export async function reject(client: Client, { link, requester, self, mesh }: Synced, witness: string, device: string): Promise<void> {
  const personal = personalOf(mesh);
  const answer = { device, g: personal.payload.g, heads: await headsOf(client, personal.payload), master: self.master, masterDigest: masterOf(mesh).digest, n: personal.payload.n, personal: personal.digest, result: "rejected", role: "member", v: 1, witness };
  const signed: { readonly jws: Jws } = await signObject(connectionAnswer, answer as ConnectionAnswer, signerOf(client.keyring, self.administrationKey));
  await link.call(requester, connectComplete, { answer: signed.jws });
}
