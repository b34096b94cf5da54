import { parseJson } from "../../../bytes/json.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import { damaged } from "./damage.ts";
import { type Failure, isObject, type JsonObject } from "./item.ts";
import { maxFileOctets, maxValues } from "./limits.ts";
import { readPartialObject } from "./partial-json.ts";

/** The text of octets in UTF-8; `partial` puts U+FFFD where they are none, and what holds that is a failure (`isWhole`). */
export function textIn(octets: Uint8Array, partial: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: !partial, ignoreBOM: true }).decode(octets);
  } catch {
    throw damaged("it is no text in UTF-8.");
  }
}

/** Whether octets are text in UTF-8. */
export function isUtf8(octets: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(octets);
    return true;
  } catch {
    return false;
  }
}

/** How many values JSON has at most: a comma, or the bracket that opens what holds it, stands before each; those within texts do not count. */
function valuesIn(octets: Uint8Array): number {
  let count = 0;
  let inText = false;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at];
    if (octet === 0x22) inText = !inText;
    else if (octet === 0x5c && inText) at++;
    else if (!inText && (octet === 0x2c || octet === 0x5b || octet === 0x7b)) count++;
  }
  return count;
}

/** A JSON object, and with `partial` what of a damaged one can be read, with what cannot. */
export function objectIn(octets: Uint8Array, partial: boolean): { readonly object: JsonObject; readonly failed: readonly Failure[] } {
  if (octets.length > maxValues) demand(valuesIn(octets) <= maxValues, "import-too-large", `The file holds more than ${maxValues} values.`);
  const bare = octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf ? octets.subarray(3) : octets;
  try {
    // Without the line break at its end what is compact is read at the engine's own speed.
    const value = parseJson(bare.at(-1) === 0x0a ? bare.subarray(0, -1) : bare, { maxBytes: maxFileOctets });
    if (isObject(value)) return { object: value, failed: [] };
    throw damaged("it is no JSON object.");
  } catch (error) {
    if (!(error instanceof MeshError) || error.code === "import-damaged") throw error;
    if (!partial) throw damaged(`${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`);
  }
  const { members, lost } = readPartialObject(textIn(bare, true));
  return { object: members, failed: Object.entries(lost).map(([name, count]) => ({ title: `(${count} of the ${name})`, why: "Damaged or cut off." })) };
}
