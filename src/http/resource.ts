import { toBase64url } from "../bytes/base64url.ts";
import { sha256 } from "../crypto/digest.ts";
import { errorResponse, type HttpResponse } from "./answer.ts";
import type { HttpRequest } from "./receive.ts";

/** Octets that anybody may read, and how long whoever has them may keep them: what is said of the moment, never. */
export type Resource = { readonly octets: Uint8Array; readonly type: string; readonly keep: "for-ever" | "until-changed" | "never" };

const TAG_OCTETS = 16;
const nothing = new Uint8Array(0);

/**
 * Answers a GET or HEAD for a resource, or for none: whole, not at all if whoever asks has it (RFC 9110 §13.1.2), or one part of it (§14).
 *
 * Several parts at once are not given: the whole is, as it is where a range does not read.
 */
export function answerResource({ method, headers }: Pick<HttpRequest, "method" | "headers">, resource: Resource | undefined): HttpResponse {
  if (resource === undefined) return errorResponse(404, "store-not-found", "There is nothing here, or not yet.");
  const { octets, type, keep } = resource;
  if (keep === "never") return { status: 200, headers: { "content-type": type }, body: octets };
  const tag = `"${toBase64url(sha256(octets).subarray(0, TAG_OCTETS))}"`;
  const caching = { "cache-control": keep === "for-ever" ? "public, max-age=31536000, immutable" : "no-cache", etag: tag };
  if (names(headers["if-none-match"], tag)) return { status: 304, headers: caching, body: nothing };
  const whole = { ...caching, "accept-ranges": "bytes", "content-type": type };
  const wanted = method === "GET" && (headers["if-range"] ?? tag) === tag ? rangeIn(headers["range"], octets.length) : undefined;
  if (wanted === "none") return { status: 416, headers: { ...caching, "content-range": `bytes */${octets.length}` }, body: nothing };
  if (wanted === undefined) return { status: 200, headers: whole, body: octets };
  const { first, last } = wanted;
  return { status: 206, headers: { ...whole, "content-range": `bytes ${first}-${last}/${octets.length}` }, body: octets.subarray(first, last + 1) };
}

/** Whether a list of tags has this one; a weak one is as good where nothing but the whole is given. */
function names(list: string | undefined, tag: string): boolean {
  return list !== undefined && list.split(",").some((one) => ["*", tag, `W/${tag}`].includes(one.trim()));
}

/** The one part that is asked for, "none" if it begins behind the end; undefined where the whole is to be given. */
function rangeIn(header: string | undefined, length: number): { readonly first: number; readonly last: number } | "none" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") return to === "0" || length === 0 ? "none" : { first: Math.max(0, length - Number(to)), last: length - 1 };
  const [first, last] = [Number(from), to === "" ? length - 1 : Math.min(Number(to), length - 1)];
  if (to !== "" && Number(to) < first) return undefined;
  return first >= length ? "none" : { first, last };
}
