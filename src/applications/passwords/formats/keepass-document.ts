import { fromBase64 } from "./base64.ts";
import { Octets } from "./octets.ts";
import { readXml, type XmlDocument } from "./xml.ts";

/** Seconds from the year 1 to 1970. */
const EPOCH_SECONDS = 62_135_596_800;

/**
 * Reads the document of a database, or an export of one: protected texts shown, times as text.
 *
 * Within a database protected texts are hidden under one key stream, in the order in which they stand; an export shows them.
 */
export function keepassDocument(xml: string, unhide?: (octets: Uint8Array) => Uint8Array): XmlDocument {
  return readXml(xml, (element) => {
    if (unhide !== undefined && element.attributes["Protected"] === "True") return { ...element, attributes: { ProtectInMemory: "True" }, text: plainText(element.text, unhide) };
    return isTime(element.name) ? { ...element, text: timeText(element.text) } : element;
  });
}

function plainText(hidden: string, unhide: (octets: Uint8Array) => Uint8Array): string {
  const octets = fromBase64(hidden);
  return octets === undefined || octets.length === 0 ? "" : new TextDecoder("utf-8", { ignoreBOM: true }).decode(unhide(octets));
}

function isTime(name: string): boolean {
  return name.endsWith("Time") || name.endsWith("Changed");
}

/** A time is eight octets in base64, seconds since the year 1; what is none stays as it is. */
function timeText(text: string): string {
  if (!/^[A-Za-z0-9+/]{11}=$/.test(text)) return text;
  const seconds = new Octets(fromBase64(text) ?? new Uint8Array(0)).number(8);
  const milliseconds = ((seconds ?? Infinity) - EPOCH_SECONDS) * 1000;
  return Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z") : text;
}
