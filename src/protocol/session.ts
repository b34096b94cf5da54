import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, canonicalJson } from "../bytes/canonical-json.ts";
import { concatBytes, equalBytes, wipe } from "../bytes/equal.ts";
import { parseCanonical } from "../bytes/json.ts";
import { utf8 } from "../bytes/text.ts";
import { content } from "../crypto/algorithms.ts";
import { hkdf, hmacText, sha512, sha512Text } from "../crypto/digest.ts";
import { decapsulate, encapsulate } from "../crypto/encapsulate.ts";
import { decryptGcm, encryptGcm } from "../crypto/encrypt.ts";
import type { DecapsulationKey, EncapsulationKey } from "../crypto/key-pair.ts";
import { udfField } from "../envelope/fields.ts";
import type { Decapsulator } from "../envelope/sealed.ts";
import { readShape } from "../envelope/shape.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Udf } from "../udf/udf.ts";
import type { RequestOf, ResponseOf } from "./command.ts";
import type { openSession } from "./open-session.ts";

type OpenRequest = RequestOf<typeof openSession>;
type OpenResponse = ResponseOf<typeof openSession>;

/** Both ends' view of a session (decision 8.1): its name and the keys that authenticate requests and answers. */
export type Session = { readonly id: string; readonly requestKey: Uint8Array; readonly answerKey: Uint8Array };

const memberShape = v.strictObject({ device: udfField<"device">(), master: udfField<"master">() });

/**
 * Whose session it is: a device in one mesh.
 *
 * The device says which: a portal that looked it up by the device alone could be told by another mesh, which lists the same
 * public Device Profile, that the device is its own.
 */
export type Member = v.InferOutput<typeof memberShape>;

/** The greatest counter of a session: a number of twelve digits, as it is kept. */
export const MAX_COUNTER = 999_999_999_999;

/** How many counters back a write may arrive; older ones are refused, seen ones get their first answer again. */
export const COUNTER_WINDOW = 1024;

const EMPTY = new Uint8Array(0);
const IV = new Uint8Array(content.ivOctets);

/** The device's first half: a secret for the portal alone, and who the device is under it. */
export async function proposeSession(portal: EncapsulationKey, { device, master }: Member): Promise<{ readonly request: OpenRequest; readonly secret: Uint8Array }> {
  const { ciphertext, secret } = await encapsulate(portal);
  const sealed = encryptGcm(nameKey(secret), IV, canonicalBytes({ device, master }), ciphertext);
  return { request: { ciphertext: toBase64url(ciphertext), member: toBase64url(sealed) }, secret };
}

/** The portal reads which device asks; refuses with `session-malformed` what does not open. */
export async function readProposal(request: OpenRequest, key: DecapsulationKey): Promise<{ readonly member: Member; readonly secret: Uint8Array }> {
  const ciphertext = fromBase64url(request.ciphertext);
  const secret = await decapsulate(key, ciphertext);
  const name = decryptGcm(nameKey(secret), IV, fromBase64url(request.member), ciphertext);
  demand(name !== undefined, "session-malformed", "This session request does not open under the key of this portal.");
  return { member: readShape(memberShape, parseCanonical(name), "session-malformed", "session request"), secret };
}

/** The portal's half: a secret for the device alone, and the proof that it holds both. */
export async function agreeSession(portal: Udf<"portal">, member: Member, authentication: EncapsulationKey, request: OpenRequest, secret: Uint8Array): Promise<{ readonly response: OpenResponse; readonly session: Session }> {
  const second = await encapsulate(authentication);
  const ciphertext = toBase64url(second.ciphertext);
  const session = deriveSession(portal, member, request, ciphertext, secret, second.secret);
  return { response: { ciphertext, confirmation: confirmation(session) }, session };
}

/** The device's second half; refuses with `portal-session-forged` an answer by anyone but the portal it asked. */
export async function confirmSession(portal: Udf<"portal">, member: Member, key: Decapsulator, request: OpenRequest, secret: Uint8Array, response: OpenResponse): Promise<Session> {
  const second = await key.decapsulate(fromBase64url(response.ciphertext));
  const session = deriveSession(portal, member, request, response.ciphertext, secret, second);
  demand(equalBytes(fromBase64url(confirmation(session)), fromBase64url(response.confirmation)), "portal-session-forged", "The answer to this session request does not come from the portal that was asked.", "Somebody is in between, or the portal is broken. Do not go on; ask its operator.");
  return session;
}

/** What a request's MAC covers (decision 8.1). */
export type RequestParts = { readonly portal: string; readonly method: string; readonly path: string; readonly query: string; readonly counter: number; readonly body: Uint8Array };

/** The MAC of a request under its session. */
export function requestMac(session: Session, parts: RequestParts): string {
  const { body, ...rest } = parts;
  return hmacText(session.requestKey, canonicalJson({ ...rest, body: sha512Text(body), session: session.id }));
}

/** The MAC of an answer: bound to the counter of its request, so no answer serves another request. */
export function answerMac(session: Session, parts: { readonly portal: string; readonly counter: number; readonly status: number; readonly body: Uint8Array }): string {
  return hmacText(session.answerKey, canonicalJson({ body: sha512Text(parts.body), counter: parts.counter, portal: parts.portal, session: session.id, status: parts.status }));
}

/** Compares a MAC in constant time; anything malformed is unequal. */
export function isMac(given: string | undefined, expected: string): boolean {
  return given !== undefined && given.length === expected.length && equalTexts(given, expected);
}

/** As `equalBytes`, of texts of one length: without octets made of them. */
function equalTexts(a: string, b: string): boolean {
  let difference = 0;
  for (let at = 0; at < b.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

function nameKey(secret: Uint8Array): Uint8Array {
  return hkdf(secret, EMPTY, utf8("mesh/session/member/v1"), content.keyOctets);
}

function deriveSession(portal: string, { device, master }: Member, request: OpenRequest, second: string, secret: Uint8Array, secondSecret: Uint8Array): Session {
  const transcript = sha512(canonicalBytes({ answer: second, device, label: "mesh-session-v1", master, portal, request: { ciphertext: request.ciphertext, member: request.member } }));
  const both = concatBytes(secret, secondSecret);
  const okm = hkdf(both, transcript, utf8("mesh/session/v1"), 64 + 64 + 16);
  wipe(both);
  return { id: toBase64url(okm.subarray(128)), requestKey: okm.slice(0, 64), answerKey: okm.slice(64, 128) };
}

function confirmation(session: Session): string {
  return hmacText(session.answerKey, `mesh/session/confirmation/v1\0${session.id}`);
}
