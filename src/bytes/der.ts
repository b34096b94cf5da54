import { MeshError } from "../refusals/mesh-error.ts";
import { concatBytes } from "./equal.ts";

/** Tag octets of the universal types used here (X.690 §8). */
export const tags = { integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, sequence: 0x30 } as const;

/** Writes one element of any single-octet tag with the shortest length (X.690 §10.1). */
export function derElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...contents);
  return concatBytes(Uint8Array.of(tag, ...lengthOctets(body.length)), body);
}

/** Writes a SEQUENCE of encoded elements. */
export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(tags.sequence, ...elements);
}

/** Writes an OCTET STRING. */
export function derOctetString(bytes: Uint8Array): Uint8Array {
  return derElement(tags.octetString, bytes);
}

/** Writes a BIT STRING of whole octets. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derElement(tags.bitString, Uint8Array.of(0), bytes);
}

/** Writes a non-negative INTEGER of any size. */
export function derInteger(value: number | bigint): Uint8Array {
  const big = BigInt(value);
  if (big < 0n) throw new MeshError("der-malformed", "Negative integers have no use here.");
  let hex = big.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  // A leading bit of one would make it negative.
  if (Number.parseInt(hex.slice(0, 2), 16) > 127) hex = `00${hex}`;
  return derElement(tags.integer, Uint8Array.fromHex(hex));
}

/** Writes an OBJECT IDENTIFIER given in dotted decimal, e.g. `1.3.101.113`. */
export function derOid(dotted: string): Uint8Array {
  const arcs = dotted.split(".").map(Number);
  const [first = -1, second = -1, ...rest] = arcs;
  const good = /^[0-9]+(\.[0-9]+)+$/.test(dotted) && arcs.every((arc) => arc < 2 ** 31) && first <= 2 && (first === 2 || second < 40);
  if (!good) throw new MeshError("der-malformed", `${dotted} is not an object identifier.`);
  return derElement(tags.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Writes a context-specific element `[number]`; constructed holds elements, primitive (IMPLICIT of a simple type) holds octets. */
export function derContext(number: number, form: "constructed" | "primitive", ...contents: readonly Uint8Array[]): Uint8Array {
  return derElement(contextTag(number, form), ...contents);
}

/** The tag octet of a context-specific element, 0 to 30. */
export function contextTag(number: number, form: "constructed" | "primitive"): number {
  if (!Number.isInteger(number) || number < 0 || number > 30) throw new MeshError("der-malformed", `Context tag ${number} needs more than an octet.`);
  return (form === "constructed" ? 0xa0 : 0x80) | number;
}

function lengthOctets(length: number): readonly number[] {
  if (length < 128) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

function base128(arc: number): readonly number[] {
  const groups = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) groups.unshift((rest % 128) | 0x80);
  return groups;
}
