import { fromBase64url, toBase64url } from "../../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../../bytes/canonical-json.ts";
import { randomBytes } from "../../crypto/random.ts";
import type { Digest } from "../../envelope/fields.ts";
import { seal } from "../../envelope/sealed.ts";
import { readShape } from "../../envelope/shape.ts";
import { type Jws, readSigned, signObject, type Verified } from "../../envelope/signed.ts";
import { account as accountType } from "../../profiles/account.ts";
import { administrationProofMessage, type ConnectionAnswer, connectionAnswer, type ConnectionPrivate, connectionRequest, connectionWords, deviceNameField, isPinProof, pinProof, type Witness, witnessOf } from "../../profiles/connection.ts";
import { deviceProfile } from "../../profiles/device.ts";
import { encapsulationKey } from "../../profiles/keys.ts";
import { emptyMesh, type Mesh, masterOf } from "../../profiles/mesh.ts";
import { rosterOf } from "../../profiles/roster.ts";
import type { MasterId } from "../../profiles/types.ts";
import { correctAccount, verifyByAdministration } from "../../profiles/validity.ts";
import { connectStart, connectStatus } from "../../protocol/connections.ts";
import { get } from "../../protocol/profiles.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { holdingPortalTo } from "../blame.ts";
import type { Client, Self } from "../client.ts";
import { signerOf } from "../client.ts";
import { makeDeviceKeys } from "../keys.ts";
import { parsePin, pinKey } from "../pin-code.ts";
import { withShownMaster } from "../pull-mesh.ts";
import { meetPortal, pinOf, type PortalLink } from "../portal-link.ts";
import { type Promised, pullAs, sync } from "../sync.ts";
import { requestSubject } from "./requests.ts";

/** How far a joining got; `words` are shown to the person, who picks them on an administration device. */
export type Joined = { readonly status: "pending" | "connected" | "rejected"; readonly words: string; readonly witness: Witness; readonly answered: boolean };

/** What the person decides; a PIN or a `master` known beforehand makes the answer words unnecessary (decision 5.2). */
export type JoinOptions = {
  readonly address: string;
  readonly master?: string;
  readonly portal: { readonly url: string; readonly pin?: string };
  readonly deviceName: string;
  readonly pinCode?: string;
};

/** What a home keeps of a joining: enough to go on after any interruption. */
type JoiningRow = { readonly witness: Witness; readonly words: string; readonly request: Jws; readonly trusted: boolean; readonly master: { readonly version: number; readonly digest: Digest }; readonly pin?: string };

/** Asks to join a mesh, or goes on asking; nothing is taken over before the other side's answer has been confirmed (decision 5.2). */
export async function joinMesh(client: Client, options: JoinOptions): Promise<Joined> {
  const link = await meetPortal(client, options.portal.url, options.portal.pin);
  try {
    const begun = await client.rows.read((rows) => rows.get<Self>("self", "self"));
    const free = begun === undefined || ((begun.state === "joining" || begun.state === "connected") && begun.address === options.address);
    demand(free, "home-exists", `This device already belongs to ${begun?.address ?? "a mesh"}.`, "Choose another home with MESH_HOME.");
    const fresh = begun === undefined || (await isAnotherWay(client, begun, options));
    if (fresh) await ask(client, link, options);
    const { self, joining } = await stateOf(client);
    const { words } = joining;
    if (self.state === "connected") return { status: "connected", words, witness: joining.witness, answered: true };
    const asked = fresh ? { answer: undefined, known: false } : await holdingPortalTo(() => askAgain(link, self, joining));
    if (!asked.known) await start(client, link, joining.request);
    const answer = asked.known ? asked.answer : await holdingPortalTo(() => answerFor(link, self, joining));
    if (answer === undefined) return { status: "pending", words, witness: joining.witness, answered: false };
    if (answer.payload.result === "rejected") {
      await forget(client);
      return { status: "rejected", words, witness: joining.witness, answered: true };
    }
    if (!joining.trusted) return { status: "pending", words, witness: joining.witness, answered: true };
    await takeUp(client, self, answer);
    return { status: "connected", words, witness: joining.witness, answered: true };
  } finally {
    link.close();
  }
}

/**
 * Confirms a joining by the three words that only the accepting device shows.
 *
 * They are checked against this device's own witness, so a portal that answers for a mesh it does not hold gets nowhere:
 * `connection-answer-wrong` changes nothing.
 */
export async function confirmJoin(client: Client, answer: readonly string[]): Promise<void> {
  const { joining } = await stateOf(client);
  const expected = (await connectionWords(joining.witness)).answer.join(" ");
  demand(answer.join(" ") === expected, "connection-answer-wrong", "These are not the words that your other device shows for this one.", "Type the three words exactly. If they are right, somebody is between you and your mesh: do not go on.");
  await client.rows.transact((rows) => rows.put("joining", "joining", "", { ...joining, trusted: true } satisfies JoiningRow));
}

/** Fixes the Master Profile first, then draws the nonce; records everything before the request is sent. */
async function ask(client: Client, link: PortalLink, options: JoinOptions): Promise<void> {
  // Else no administration device could read the request, and nobody would say so.
  readShape(deviceNameField, options.deviceName, "device-name-malformed", "device name");
  const pin = options.pinCode === undefined ? undefined : parsePin(options.pinCode);
  const mesh = await holdingPortalTo(() => lookUp(link, options.address, pin?.master ?? options.master));
  const master = masterOf(mesh);
  const keys = await makeDeviceKeys(client.keyring);
  const nonce = randomBytes(32);
  const witness = witnessOf({ address: options.address, device: keys.profile.digest, master: mesh.id, nonce });
  const secretPin = pin === undefined ? undefined : pinKey(pin);
  const secret: ConnectionPrivate = {
    address: options.address,
    administration: { encryptionKey: keys.administration.encryptionKey, proof: toBase64url(await signerOf(client.keyring, keys.administrationKey).sign(administrationProofMessage(witness))), signatureKey: keys.administration.signatureKey },
    name: options.deviceName,
    nonce: toBase64url(nonce),
    v: 1,
    ...(secretPin === undefined ? {} : { pinProof: pinProof(secretPin, "request", witness) }),
  };
  const sealed = await seal(requestSubject(witness), canonicalBytes(secret as unknown as Json), master.payload.administrationKeys.map((key) => encapsulationKey(key.encryptionKey)));
  const payload = { device: keys.profile.jws, kind: pin === undefined ? ("words" as const) : ("pin" as const), master: mesh.id, sealed, v: 1 as const, witness, ...(pin === undefined ? {} : { pin: pin.id }) };
  const request = await signObject(connectionRequest, payload, signerOf(client.keyring, keys.device));
  const self: Self = { address: options.address, administrationEncryptionKey: keys.administrationEncryptionKey, administrationKey: keys.administrationKey, authenticationKey: keys.authenticationKey, device: keys.device, encryptionKey: keys.encryptionKey, master: mesh.id, name: options.deviceName, portal: { id: pinOf(link), url: options.portal.url }, state: "joining" };
  const joining: JoiningRow = { master: { digest: master.digest, version: master.payload.version }, request: request.jws, words: (await connectionWords(witness)).request.join(" "), trusted: pin !== undefined || options.master !== undefined, witness, ...(secretPin === undefined ? {} : { pin: toBase64url(secretPin) }) };
  await client.rows.transact(async (rows) => {
    await rows.put("self", "self", "", self);
    await rows.put("joining", "joining", "", joining);
    // One's own Device Profile is what an answer must list.
    await rows.put("own-device", "own-device", "", { object: keys.profile.jws });
  });
}

const DO_NOT_JOIN = "Nothing was taken over. Do not join by this portal until you know why: ask its operator, and look at your other device.";

/** What the portal says of an address, checked to be one consistent account and, where the person knows it, the right mesh. */
async function lookUp(link: PortalLink, address: string, expected: string | undefined): Promise<Mesh> {
  const answer = await link.ask(get, { address });
  const account = readSigned(answer.account, accountType);
  let mesh = emptyMesh(account.payload.master as MasterId);
  for (const master of answer.masters) mesh = await withShownMaster(mesh, master);
  demand(mesh.masters.length > 0, "portal-missing-profile", "The portal shows an account without its Master Profile.", DO_NOT_JOIN);
  demand(expected === undefined || mesh.id === expected, "portal-other-master", "The portal shows another mesh for this address than the one you named.", "Do not join. Check the address with the person who gave it to you, or your other device.");
  demand(account.payload.address === address && account.payload.portal === pinOf(link), "portal-other-master", "The portal shows an account of another name or portal.", DO_NOT_JOIN);
  // Only its first version is chained to nothing; later ones were checked by the portal's own members.
  await correctAccount(account, rosterOf(masterOf(mesh)), account.payload.version === 1 ? undefined : ({ digest: account.payload.previous, payload: { version: account.payload.version - 1 } } as never));
  return mesh;
}

/** The answer to this device's request, if there is one: by an Administration Key of the mesh that was fixed, for this witness and this device. */
async function answerFor(link: PortalLink, self: Self, joining: JoiningRow): Promise<Verified<ConnectionAnswer> | undefined> {
  const status = await link.call({ device: self.device, master: self.master, authenticationKey: self.authenticationKey }, connectStatus, { witness: joining.witness }).catch((error: unknown) => {
    if (!(error instanceof MeshError) || error.code !== "request-not-allowed") throw error;
    throw new MeshError("device-disabled", "The portal does not let this device in: it was let in, and disabled or suspended before it took the mesh over, or the portal refuses it.", "Look at `mesh device list` on another of your devices. Choose another home with MESH_HOME to ask again as a new device.");
  });
  if (status.answer === undefined) return undefined;
  const mesh = await lookUp(link, self.address, self.master);
  demand(mesh.masters[joining.master.version - 1]?.digest === joining.master.digest, "portal-other-master", "The portal shows another Master Profile than it did when this device asked to join.", DO_NOT_JOIN);
  const signed = readSigned(status.answer, connectionAnswer);
  const master = mesh.masters[signed.payload.g - 1];
  demand(master !== undefined, "portal-missing-profile", "The answer names a Master Profile that the portal does not show.", DO_NOT_JOIN);
  const answer = await verifyByAdministration(signed, rosterOf(master), "connection answer");
  const { payload } = answer;
  demand(payload.witness === joining.witness && payload.device === self.device && payload.master === self.master, "portal-answer-wrong-device", "The portal gave this device an answer that was meant for another.", DO_NOT_JOIN);
  const proven = joining.pin === undefined || payload.result === "rejected" || isPinProof(payload.pinProof, fromBase64url(joining.pin), "answer", joining.witness);
  demand(proven, "portal-answer-wrong-device", "The answer was not made by somebody who knows the PIN.", DO_NOT_JOIN);
  return answer;
}

/**
 * Whether the person now says otherwise how to join: by a PIN that the request was not made with. A fingerprint that she
 * adds must be the mesh that was fixed then, and makes the answer words unnecessary.
 */
async function isAnotherWay(client: Client, self: Self, options: JoinOptions): Promise<boolean> {
  if (self.state !== "joining") return false;
  const { joining } = await stateOf(client);
  demand(options.master === undefined || options.master === self.master, "portal-other-master", "This device asked another mesh than the one you name now.", "Do not go on with it. Choose another home with MESH_HOME, and check where the address comes from.");
  if (options.master !== undefined && !joining.trusted) await client.rows.transact((rows) => rows.put("joining", "joining", "", { ...joining, trusted: true } satisfies JoiningRow));
  const another = options.pinCode !== undefined && joining.pin !== toBase64url(pinKey(parsePin(options.pinCode)));
  if (another) await forget(client);
  return another;
}

/**
 * Asks for the answer to a request that was sent before. A portal takes a request from so many strangers a minute only,
 * so it is sent again only where it is not there: it expired, or was never received.
 */
async function askAgain(link: PortalLink, self: Self, joining: JoiningRow): Promise<{ readonly answer: Verified<ConnectionAnswer> | undefined; readonly known: boolean }> {
  try {
    return { answer: await answerFor(link, self, joining), known: true };
  } catch (error) {
    if (error instanceof MeshError && (error.code === "connection-unknown" || error.code === "session-device-unknown")) return { answer: undefined, known: false };
    throw error;
  }
}

/** Sends the request; one that the portal will never take for its PIN is forgotten, so that the person may join another way. */
async function start(client: Client, link: PortalLink, request: Jws): Promise<void> {
  try {
    await link.ask(connectStart, { request });
  } catch (error) {
    if (error instanceof MeshError && error.code === "connection-pin-unknown") await forget(client);
    throw error;
  }
}

/** Takes the mesh over: everything is pulled and judged first, and must hold what the answer promised; then this device is a member. */
async function takeUp(client: Client, self: Self, answer: Verified<ConnectionAnswer>): Promise<void> {
  const { g, n, personal, heads, role, snapshots = [] } = answer.payload;
  const own = await client.rows.read((rows) => rows.get<{ object: Jws }>("own-device", "own-device"));
  const promised: Promised = { g, heads, n, personal, role, snapshots, device: own === undefined ? undefined : readSigned(own.object, deviceProfile).digest };
  const pulled = await pullAs(client, self, promised);
  pulled.link.close();
  await client.rows.transact((rows) => rows.put("self", "self", "", { ...self, state: "connected" } satisfies Self));
  await sync(client);
}

async function stateOf(client: Client): Promise<{ readonly self: Self; readonly joining: JoiningRow }> {
  const { self, joining } = await client.rows.read(async (rows) => ({ self: await rows.get<Self>("self", "self"), joining: await rows.get<JoiningRow>("joining", "joining") }));
  if (self === undefined || joining === undefined) throw new MeshError("home-missing", "This device is not joining any mesh.", "Begin with `mesh join ADDRESS`.");
  return { self, joining };
}

/** After a rejection nothing is left but the keyring, so that the person may ask again as another device. */
async function forget(client: Client): Promise<void> {
  await client.rows.transact(async (rows) => {
    for (const row of ["self", "joining", "own-device"]) await rows.remove(row, row, "");
  });
  for (const { id } of await client.keyring.list()) await client.keyring.remove(id);
}
