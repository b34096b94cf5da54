import { toBase32 } from "../bytes/base32.ts";
import { utf8 } from "../bytes/text.ts";
import { hkdf } from "../crypto/digest.ts";
import { randomBytes } from "../crypto/random.ts";
import { demand } from "../refusals/mesh-error.ts";
import { isUdf } from "../udf/udf.ts";

/** A PIN as it is written down (decision 5.3): a public name of 25 bits, a secret of 125, and the mesh that it opens. */
export type PinCode = { readonly id: string; readonly secret: string; readonly master: string };

const SECRET_LETTERS = 25;
const ID_LETTERS = 5;

/** Draws a PIN for a mesh. */
export function newPin(master: string): PinCode {
  const letters = toBase32(randomBytes(20));
  return { id: letters.slice(0, ID_LETTERS), secret: letters.slice(ID_LETTERS, ID_LETTERS + SECRET_LETTERS), master };
}

/** The one line in which a PIN travels: `IDIDI-SSSSS-SSSSS-SSSSS-SSSSS-SSSSS#<udf>`. */
export function showPin(pin: PinCode): string {
  return `${pin.id}-${pin.secret.match(/.{5}/g)?.join("-") ?? ""}#${pin.master}`;
}

/** Reads a PIN, forgiving case and spaces; refuses with `pin-malformed`. */
export function parsePin(text: string): PinCode {
  const [code = "", master = ""] = text.trim().toUpperCase().split("#");
  const letters = code.replace(/[\s-]/g, "");
  demand(/^[A-Z2-7]{30}$/.test(letters) && isUdf(master), "pin-malformed", "This is not a PIN as `mesh device pin` makes it.", "Copy the whole line, with everything after the #.");
  return { id: letters.slice(0, ID_LETTERS), secret: letters.slice(ID_LETTERS), master };
}

/** The key by which both sides of a PIN connection prove that they know it; 125 random bits, so no search finds it. */
export function pinKey(pin: PinCode): Uint8Array {
  return hkdf(utf8(pin.secret), utf8(pin.master), utf8(`mesh/pin/key/v1\0${pin.id}`), 64);
}
