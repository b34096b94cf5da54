import * as v from "valibot";

import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { parseJson } from "../bytes/json.ts";
import { readShape } from "../envelope/shape.ts";
import { type Code, codes } from "../refusals/codes.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { Command } from "./command.ts";
import { commandNamed } from "./commands.ts";
import { hello } from "./hello.ts";
import { refusalHints } from "./refusal-hints.ts";
import { splitOctets, withOctets } from "./octets.ts";

/** The one path of the service (JSON Web Service Binding; decision 8.2). */
export const SERVICE_PATH = "/.well-known/mmm";

/** The most octets of one request or answer (decision 8.4). */
export const MAX_BODY = 1024 * 1024;

/** Names of the HTTP headers by which a session authenticates a request and its answer (decision 8.1). */
export const SESSION_HEADER = "mesh-session";
export const COUNTER_HEADER = "mesh-counter";
export const MAC_HEADER = "mesh-mac";

/** The header of an answer in which the portal promises that its log has what it answered: a receipt, base64url (`docs/spec/log.md` 3.6). */
export const RECEIPT_HEADER = "mesh-receipt";

/** A request body: one command, `{"Hello":{}}`, and behind it the octets that it carries. */
export function encodeRequest<Q>(command: Command<Q, unknown>, request: Q, octets?: Uint8Array): Uint8Array {
  return withOctets(canonicalBytes({ [command.name]: request as Json }), octets);
}

/** Reads a request body; the octets that it carries become a member `octets` of the request. Refuses with the code of the JSON reader, `request-malformed` or `request-unknown-command`. */
export function decodeRequest(body: Uint8Array): { readonly command: Command<unknown, unknown>; readonly request: unknown } {
  const { text, octets } = splitOctets(body);
  const value = parseJson(text, { maxBytes: MAX_BODY });
  const members = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  const [name, content] = members[0] ?? [];
  demand(members.length === 1 && name !== undefined, "request-malformed", "A request body is an object with one member, the command.");
  const command = commandNamed(name);
  demand(command !== undefined, "request-unknown-command", "This portal does not know that command.");
  // A shape without members that must be there would take a list for an object.
  demand(!Array.isArray(content), "request-malformed", `A ${command.name} request is an object.`);
  const request = readShape(command.request, content, "request-malformed", `${command.name} request`);
  demand((octets !== undefined) === (command.carries === "request"), "request-malformed", `A ${command.name} request ${octets === undefined ? "carries" : "does not carry"} octets.`);
  return { command, request: octets === undefined ? request : { ...(request as object), octets } };
}

/** An answer body: `{"HelloResponse":{...}}`, and behind it the octets that it carries. */
export function encodeResponse<A>(command: Command<never, A> | Command<unknown, unknown>, response: A, octets?: Uint8Array): Uint8Array {
  return withOctets(canonicalBytes({ [`${command.name}Response`]: response as Json }), octets);
}

const refusalShape = v.strictObject({ error: v.strictObject({ code: v.pipe(v.string(), v.maxLength(64)), message: v.pipe(v.string(), v.maxLength(1024)) }) });

/** The body of a refusal: `{"error":{"code","message"}}`. */
export function encodeRefusal(code: Code, message: string): Uint8Array {
  return canonicalBytes({ error: { code, message } });
}

/** A refusal that a portal told: about what was asked, not about what the portal sent. */
export class RefusedByPortal extends MeshError {}

/** Reads the body of an answer that carries no octets, or leaves them out; refuses as `decodeCarrying`. */
export function decodeResponse<A>(command: Command<never, A> | Command<unknown, A>, body: Uint8Array): A {
  return decodeCarrying(command, body).answer;
}

/**
 * Reads an answer body and the octets that it carries; a refusal is thrown as the `RefusedByPortal` it names.
 *
 * A portal is not believed when it accuses itself or others: `portal-*` codes, and codes that this version does not know,
 * become `answer-malformed`.
 */
export function decodeCarrying<A>(command: Command<never, A> | Command<unknown, A>, body: Uint8Array): { readonly answer: A; readonly octets: Uint8Array | undefined } {
  const { text, octets } = splitOctets(body);
  const value = parseJson(text, { maxBytes: 8 * MAX_BODY });
  const refusal = v.safeParse(refusalShape, value);
  if (refusal.success) {
    const { code, message } = refusal.output.error;
    const known = Object.hasOwn(codes, code) && !code.startsWith("portal-");
    const hint = known ? refusalHints[code as Code] : "It says so in a way that this Mesh does not know: update Mesh here, or ask the portal's operator to.";
    throw new RefusedByPortal(known ? (code as Code) : "answer-malformed", `The portal says: ${message}`, hint);
  }
  const shape = v.strictObject({ [`${command.name}Response`]: command.response });
  const answer = readShape(shape, value, "answer-malformed", `${command.name} answer`) as Record<string, unknown>;
  demand(!Array.isArray((value as Record<string, unknown>)[`${command.name}Response`]), "answer-malformed", `An answer to ${command.name} is an object.`);
  demand((octets !== undefined) === (command.carries === "response"), "answer-malformed", `An answer to ${command.name} ${octets === undefined ? "carries" : "does not carry"} octets.`);
  return { answer: answer[`${command.name}Response`] as A, octets };
}

/**
 * What a portal serves to anybody at a page; undefined where there is nothing. A refusal is thrown as by {@link decodeCarrying}, any other answer
 * as `service-answer-malformed`.
 */
export function decodePage({ status, body }: { readonly status: number; readonly body: Uint8Array }): Uint8Array | undefined {
  if (status === 200) return body;
  if (status === 404) return undefined;
  try {
    decodeResponse(hello, body);
  } catch (error) {
    // What a proxy says in the portal's place is not laid at the portal's door.
    if (error instanceof RefusedByPortal) throw error;
  }
  throw new MeshError("service-answer-malformed", `The portal answered ${status} for a page.`, "Try again in a while.");
}

/** The HTTP status that goes with a code; the body is what counts (decision 8.2). */
export function statusOf(code: Code): number {
  if (code === "service-rate-limited" || code === "connection-too-many") return 429;
  if (code.endsWith("-unknown") || code.endsWith("-unknown-command")) return 404;
  if (codes[code] === 4) return 403;
  if (codes[code] === 6) return 409;
  if (code === "service-busy") return 503;
  return code === "service-internal" ? 500 : code === "json-too-large" ? 413 : 400;
}
