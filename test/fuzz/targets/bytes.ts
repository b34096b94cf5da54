import { fromBase32, toBase32 } from "../../../src/bytes/base32.ts";
import { fromBase64url, toBase64url } from "../../../src/bytes/base64url.ts";
import { derBitString, derElement, derInteger, derOid, tags } from "../../../src/bytes/der.ts";
import { bitStringOf, type DerElement, integerOf, oidOf, readDer, readDerList, sequenceOf } from "../../../src/bytes/der-reader.ts";
import { concatBytes, equalBytes } from "../../../src/bytes/equal.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import { hold, octets, type Target, text } from "../target.ts";

/** Base32: one spelling, both ways. */
export const base32: Target = {
  name: "base32",
  files: ["bytes/base32.ts"],
  seeds: () => ["", "MZXW6YTBOI", "AA", "A", "AB", "mzxw6", "MZXW6===", "777777"].map(octets),
  words: ["A", "7", "=", "MZXW6", "1"],
  most: 200,
  refusals: ["base32-malformed"],
  run: (input) => {
    hold(equalBytes(fromBase32(toBase32(input)), input), "octets come back");
    const read = fromBase32(text(input));
    hold(toBase32(read) === text(input), "one spelling only");
  },
};

/** Base64url: one spelling, both ways. */
export const base64url: Target = {
  name: "base64url",
  files: ["bytes/base64url.ts"],
  seeds: () => ["", "Zm9vYmFy", "Zg", "Zh", "Zg==", "Z g", "+/+/", "-_-_", "Zm9v\n"].map(octets),
  words: ["A", "=", "-", "_", "+", "/", " ", "\n", "\u0000"],
  most: 200,
  refusals: ["base64url-malformed"],
  run: (input) => {
    hold(equalBytes(fromBase64url(toBase64url(input)), input), "octets come back");
    const read = fromBase64url(text(input));
    hold(toBase64url(read) === text(input), "one spelling only");
  },
};

/** DER: what is read is written back the same, at every depth. */
export const der: Target = {
  name: "der",
  files: ["bytes/der"],
  seeds: () => ["30050201050601", "300a02010102020080060155", "0303000102", "02020080", "0603550403", "30820100", "3080", "0500", "1f8101", "a003020102", "060b2b0601040182371514828f7f"].map((hex) => Uint8Array.fromHex(hex)),
  most: 400,
  refusals: ["der-malformed"],
  run: (input) => {
    checkElements(readDerList(input), input, 0);
    const one = readDer(input);
    hold(equalBytes(derElement(one.tag, one.contents), input), "one element is written back");
  },
};

function checkElements(elements: readonly DerElement[], input: Uint8Array, depth: number): void {
  hold(equalBytes(concatBytes(...elements.map(({ contents, tag }) => derElement(tag, contents))), input), "elements are written back");
  for (const element of elements) {
    const whole = derElement(element.tag, element.contents);
    attempt(() => hold(equalBytes(derInteger(integerOf(element)), whole), "an integer is written back"));
    attempt(() => hold(equalBytes(derOid(oidOf(element)), whole), "an object identifier is written back"));
    attempt(() => hold(equalBytes(derBitString(bitStringOf(element)), whole), "a bit string is written back"));
    if (element.tag === tags.sequence && depth < 40) attempt(() => checkElements(sequenceOf(element), element.contents, depth + 1));
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== "der-malformed") throw error;
  }
}
