import { MeshError } from "../refusals/mesh-error.ts";
import { tags } from "./der.ts";

/** One DER element: its tag octet and its contents, a view of the input and not a copy. */
export type DerElement = { readonly tag: number; readonly contents: Uint8Array };

/** Reads exactly one element; what follows it is refused. All functions here throw `der-malformed`. */
export function readDer(bytes: Uint8Array): DerElement {
  const elements = readDerList(bytes);
  if (elements.length !== 1) throw malformed("one element expected");
  return elements[0] as DerElement;
}

/** Reads elements that stand one after another until the end, such as the contents of a SEQUENCE. */
export function readDerList(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    if ((tag & 0x1f) === 0x1f) throw malformed("tags of several octets are not read here");
    const { length, start } = readLength(bytes, at + 1);
    if (start + length > bytes.length) throw malformed("an element is cut off");
    elements.push({ tag, contents: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** The contents of an element that must have a certain tag. */
export function contentsOf(element: DerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw malformed(`expected tag ${tag}, found ${element?.tag ?? "nothing"}`);
  return element.contents;
}

/** The elements inside a SEQUENCE. */
export function sequenceOf(element: DerElement | undefined): readonly DerElement[] {
  return readDerList(contentsOf(element, tags.sequence));
}

/** The octets of a BIT STRING that must consist of whole octets. */
export function bitStringOf(element: DerElement | undefined, tag: number = tags.bitString): Uint8Array {
  const contents = contentsOf(element, tag);
  if (contents[0] !== 0) throw malformed("a bit string of odd bits");
  return contents.subarray(1);
}

/** The value of a non-negative INTEGER in its shortest form. */
export function integerOf(element: DerElement | undefined): bigint {
  const contents = contentsOf(element, tags.integer);
  const [first = 128, second = 128] = contents;
  if (first > 127 || (first === 0 && contents.length > 1 && second < 128)) throw malformed("an integer that is negative or padded");
  return BigInt(`0x${contents.toHex()}`);
}

/** An OBJECT IDENTIFIER in dotted decimal; arcs up to 31 bits. */
export function oidOf(element: DerElement | undefined): string {
  const arcs: number[] = [];
  let arc = 0;
  let inside = false;
  for (const octet of contentsOf(element, tags.oid)) {
    if (!inside && octet === 0x80) throw malformed("a padded object identifier");
    arc = arc * 128 + (octet & 0x7f);
    if (arc >= 2 ** 31) throw malformed("an object identifier with a huge arc");
    inside = octet > 127;
    if (!inside) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [first] = arcs;
  if (inside || first === undefined) throw malformed("an object identifier that is cut off");
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...arcs.slice(1)].join(".");
}

function readLength(bytes: Uint8Array, at: number): { readonly length: number; readonly start: number } {
  const first = bytes[at];
  if (first === undefined) throw malformed("an element is cut off");
  if (first < 128) return { length: first, start: at + 1 };
  const count = first - 128;
  // 0 is the indefinite form of BER; more than 4 octets is more than we ever hold.
  if (count === 0 || count > 4 || at + count >= bytes.length) throw malformed("a length that is indefinite or too long");
  let length = 0;
  for (let octet = 1; octet <= count; octet++) length = length * 256 + (bytes[at + octet] as number);
  if (length < 128 || length < 256 ** (count - 1)) throw malformed("a length that is not the shortest");
  return { length, start: at + 1 + count };
}

function malformed(what: string): MeshError {
  return new MeshError("der-malformed", `This is not the DER expected here: ${what}.`);
}
