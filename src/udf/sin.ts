import { MeshError } from "../refusals/mesh-error.ts";
import { compactUdf, expandUdf, isUdf, type Udf } from "./udf.ts";

/** An account's address, and the identifier that its owner's Master Profile must have, where the address says it. */
export type Address = {
  readonly user: string;
  readonly domain: string;
  /** `user@domain`, both in lower case. */
  readonly address: string;
  readonly pin?: Udf;
};

const USER = /^[a-z0-9._-]{1,64}$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MARK = "mm--";

/** The strong internet name that binds a domain to a key (draft-hallambaker-sin §3): `example.com.mm--<52 characters>`. */
export function formatSin(domain: string, udf: Udf): string {
  return `${readDomain(domain)}.${MARK}${compactUdf(udf)}`;
}

/**
 * Reads `alice@example.com`, `alice@example.com#<udf>` or `alice@example.com.mm--<udf>` (decision 3.4).
 *
 * Names are ASCII and not case sensitive; the last `@` divides them (draft §6). `address-malformed` for all else, also for
 * an identifier in another than its one spelling: a pin that is not understood must not be passed over.
 */
export function parseAddress(text: string): Address {
  const hash = text.indexOf("#");
  const plain = hash < 0 ? text : text.slice(0, hash);
  const at = plain.lastIndexOf("@");
  const user = lower(plain.slice(0, Math.max(at, 0)));
  if (!USER.test(user)) throw malformed(text, "a name of letters, digits, dots, dashes and underscores must stand before the @");
  const named = splitSin(text, plain.slice(at + 1));
  if (hash >= 0 && named.pin !== undefined) throw malformed(text, "it names two keys");
  const pin = hash < 0 ? named.pin : readPin(text, text.slice(hash + 1));
  const domain = readDomain(named.domain);
  return { user, domain, address: `${user}@${domain}`, ...(pin === undefined ? {} : { pin }) };
}

function splitSin(text: string, domain: string): { readonly domain: string; readonly pin: Udf | undefined } {
  const dot = domain.lastIndexOf(".");
  const last = domain.slice(dot + 1);
  if (dot < 0 || !lower(last).startsWith(MARK)) return { domain, pin: undefined };
  try {
    return { domain: domain.slice(0, dot), pin: expandUdf(lower(last).slice(MARK.length)) };
  } catch {
    throw malformed(text, `after ${MARK} there must be an identifier of 52 characters`);
  }
}

function readPin(text: string, pin: string): Udf {
  if (!isUdf(pin)) throw malformed(text, "after # there must be an identifier: 52 characters in groups of four");
  return pin;
}

/** A host name in lower case: labels of RFC 1123 §2.1, two or more, or `localhost`; no address in digits. */
function readDomain(text: string): string {
  const domain = lower(text);
  const labels = domain.split(".");
  const last = labels.at(-1) ?? "";
  const good = domain.length <= 253 && labels.every((label) => LABEL.test(label) && !label.startsWith(MARK)) && !/^[0-9]+$/.test(last);
  if (!good || (labels.length < 2 && domain !== "localhost")) throw malformed(text, "it needs a host name such as example.com");
  return domain;
}

/** Lower case of ASCII letters only: the full mapping would turn a Kelvin sign into a k. */
function lower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function malformed(text: string, why: string): MeshError {
  return new MeshError("address-malformed", `${JSON.stringify(text.slice(0, 120))} is not an address: ${why}.`, "Write it as alice@example.com.");
}
