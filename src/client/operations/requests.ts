import { fromBase64url } from "../../bytes/base64url.ts";
import { parseCanonical } from "../../bytes/json.ts";
import { verify } from "../../crypto/sign.ts";
import { openSealed } from "../../envelope/sealed.ts";
import { readShape } from "../../envelope/shape.ts";
import { type Jws, readSigned, type Verified, verifySigned } from "../../envelope/signed.ts";
import { administrationProofMessage, type ConnectionPrivate, connectionPrivateShape, type ConnectionRequest, connectionRequest, type ConnectionWords, connectionWords, witnessOf } from "../../profiles/connection.ts";
import { type DeviceProfile, deviceProfile } from "../../profiles/device.ts";
import { verifyingKey } from "../../profiles/keys.ts";
import { verifyDevice } from "../../profiles/validity.ts";
import { connectPending } from "../../protocol/connections.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { isUdf } from "../../udf/udf.ts";
import { parseWords } from "../../udf/words.ts";
import { holdingPortalTo } from "../blame.ts";
import { type Client, decapsulatorOf, type Self } from "../client.ts";
import type { Synced } from "../synced.ts";

/** A connection request that an administration device has opened and found consistent. */
export type OpenRequest = { readonly request: Verified<ConnectionRequest>; readonly device: Verified<DeviceProfile>; readonly secret: ConnectionPrivate; readonly arrived: number };

/** What `seal`s a request's private part is about. */
export function requestSubject(witness: string): { readonly typ: string; readonly id: string; readonly version: number } {
  return { typ: "mesh-connection-private+jwe", id: witness, version: 1 };
}

/** Fetches the requests that wait; those that are not what they claim are junk and only named, so that they can be rejected. */
export async function openRequests(client: Client, { link, requester, self }: Synced): Promise<{ readonly open: readonly OpenRequest[]; readonly junk: readonly Verified<ConnectionRequest>[] }> {
  const { requests } = await link.call(requester, connectPending, {});
  const open: OpenRequest[] = [];
  const junk: Verified<ConnectionRequest>[] = [];
  for (const { request, arrived } of requests) {
    const checked = await holdingPortalTo(() => checkRequest(request));
    try {
      open.push({ ...checked, arrived, secret: await openPrivate(client, self, checked.request, checked.device) });
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      junk.push(checked.request);
    }
  }
  return { open, junk };
}

async function checkRequest(jws: Jws): Promise<{ readonly request: Verified<ConnectionRequest>; readonly device: Verified<DeviceProfile> }> {
  const signed = readSigned(jws, connectionRequest);
  const device = await verifyDevice(readSigned(signed.payload.device, deviceProfile));
  return { device, request: await verifySigned(signed, verifyingKey(device.payload.signatureKey)) };
}

/** Opens the private part and recomputes the witness from it: nobody else's device, nonce, address or mesh gives the same. */
async function openPrivate(client: Client, self: Self, request: Verified<ConnectionRequest>, device: Verified<DeviceProfile>): Promise<ConnectionPrivate> {
  const { payload } = request;
  const key = decapsulatorOf(client.keyring, self.administrationEncryptionKey);
  const secret = readShape(connectionPrivateShape, parseCanonical(await openSealed(payload.sealed, requestSubject(payload.witness), key)), "signed-malformed", "connection request");
  const witness = witnessOf({ address: secret.address, device: device.digest, master: self.master, nonce: fromBase64url(secret.nonce) });
  demand(witness === payload.witness && payload.master === self.master && secret.address === self.address, "connection-inconsistent", "This request is not what it claims to be.");
  const proof = await verify(verifyingKey(secret.administration.signatureKey), administrationProofMessage(witness), fromBase64url(secret.administration.proof));
  demand(proof, "connection-inconsistent", "This request shows an administration key that its device does not hold.");
  return secret;
}

/** A request as it is shown to the person who decides. */
export type PendingLine = { readonly witness: string; readonly words: string; readonly name: string; readonly requested: number };

/** The requests that wait to be compared by words. */
export async function pendingLines(client: Client, synced: Synced): Promise<readonly PendingLine[]> {
  const { open } = await openRequests(client, synced);
  return Promise.all(open.filter((one) => one.request.payload.kind === "words").map(async ({ request, secret, arrived }) => ({ name: secret.name, requested: arrived, witness: request.payload.witness, words: (await connectionWords(request.payload.witness)).request.join(" ") })));
}

/** A request that a person chose, with its words: to derive them is dear, so it is done once. */
export type Chosen = { readonly request: OpenRequest; readonly words: ConnectionWords };

/** The one request that a witness or exactly six words name (decision 5.2); two that share their words are both refused. */
export async function selectRequest(open: readonly OpenRequest[], selector: string): Promise<Chosen> {
  const byWitness = open.find((one) => one.request.payload.witness === selector.trim());
  if (byWitness !== undefined) return { request: byWitness, words: await connectionWords(byWitness.request.payload.witness) };
  demand(!isUdf(selector.trim()), "connection-not-found", "No device that asks to join has this witness.", "`mesh device pending` lists what waits; somebody else may have answered already.");
  const said = parseWords(selector, 6).join(" ");
  const all = await Promise.all(open.map(async (request): Promise<Chosen> => ({ request, words: await connectionWords(request.request.payload.witness) })));
  const [match, second] = all.filter((one) => one.words.request.join(" ") === said);
  if (match === undefined) throw new MeshError("connection-not-found", "No device that asks to join shows these words.", "Compare all six with the other screen; `mesh device pending` lists what waits.");
  demand(second === undefined, "connection-ambiguous", "Two requests show the same words, which does not happen by chance. Neither is accepted.", "Reject both with `mesh device reject --all` and start again.");
  return match;
}
