/** Ends the JSON text of a body that carries raw octets behind it; no JSON text holds this octet. */
const END = 0x00;

/** A JSON text with raw octets behind it, as one body; without octets the text alone. */
export function withOctets(text: Uint8Array, octets: Uint8Array | undefined): Uint8Array {
  if (octets === undefined) return text;
  const body = new Uint8Array(text.length + 1 + octets.length);
  body.set(text);
  body[text.length] = END;
  body.set(octets, text.length + 1);
  return body;
}

/** The JSON text of a body and the octets behind it, as views; `undefined` where it carries none. */
export function splitOctets(body: Uint8Array): { readonly text: Uint8Array; readonly octets: Uint8Array | undefined } {
  const end = body.indexOf(END);
  return end < 0 ? { text: body, octets: undefined } : { text: body.subarray(0, end), octets: body.subarray(end + 1) };
}
