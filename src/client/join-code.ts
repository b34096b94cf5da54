import { demand } from "../refusals/mesh-error.ts";
import { parseAddress } from "../udf/sin.ts";
import { compactUdf, expandUdf, parseUdf } from "../udf/udf.ts";
import { parsePin, showPin } from "./pin-code.ts";

/** All that a device must be told to join: its owner's address, where her portal is and who, and the PIN that lets it in, as `showPin` writes it. */
export type JoinCode = { readonly address: string; readonly portal: { readonly url: string; readonly pin: string }; readonly pin: string };

const SCHEME = "MESH:JOIN/";
const FORMAT = "1";
// What names and hosts may hold and the alphanumeric mode of QR codes has not: within its 45 characters a code is a third smaller.
const ESCAPES = [["_", "%5F"], ["[", "%5B"], ["]", "%5D"]] as const;
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** Whether a text is meant as a join code, so that it is read, or refused, as one. */
export function isJoinCode(text: string): boolean {
  return text.trimStart().slice(0, SCHEME.length).toUpperCase() === SCHEME;
}

/** The one text of a join code, a URI in capitals: `MESH:JOIN/1/USER/DOMAIN/PIN/MASTER/PORTAL/HOST:PORT` (docs/spec/connection.md 4.5). */
export function showJoinCode({ address, portal, pin }: JoinCode): string {
  const { id, secret, master } = parsePin(pin);
  const host = portal.url.replace(/^https:\/\//, "");
  const parts = [FORMAT, ...address.split("@"), id + secret, compactUdf(parseUdf(master)), compactUdf(parseUdf(portal.pin)), host];
  return SCHEME + parts.map((part) => ESCAPES.reduce((text, [plain, escape]) => text.replaceAll(plain, escape), part.toUpperCase())).join("/");
}

/** Reads a join code, forgiving case and the space around it and nothing else; refuses with `pin-malformed`. */
export function parseJoinCode(text: string): JoinCode {
  const given = text.trim().toUpperCase();
  const parts = given.slice(SCHEME.length).toLowerCase().split("/");
  // Upper case of letters beyond ASCII would turn some of them into ASCII.
  demand(/^[!-~]*$/.test(text.trim()), "pin-malformed", "This is not a join code: it has characters that none has.", "Scan it again.");
  demand(isJoinCode(given) && parts[0] === FORMAT, "pin-malformed", "This join code is of a form that this version of Mesh does not know.", "Bring Mesh up to date on this device.");
  const [, user = "", domain = "", pin = "", master = "", portal = "", host = ""] = parts.map((part) => ESCAPES.reduce((now, [plain, escape]) => now.replaceAll(escape.toLowerCase(), plain), part));
  try {
    demand(HOST.test(host), "pin-malformed", "no host");
    const code = { address: parseAddress(`${user}@${domain}`).address, pin: showPin(parsePin(`${pin}#${expandUdf(master)}`)), portal: { pin: expandUdf(portal), url: `https://${host}` } };
    // Nothing is passed over: what is written again is what was read.
    demand(showJoinCode(code) === given, "pin-malformed", "another spelling");
    return code;
  } catch {
    return demand(false, "pin-malformed", "This is not a whole join code as `mesh device pin --qr` makes it.", "Scan it again.") as never;
  }
}
