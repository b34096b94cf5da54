import { parseForeignAddress, parseForeignUdf } from "../../../src/udf/foreign.ts";
import { formatSin, parseAddress } from "../../../src/udf/sin.ts";
import { compactUdf, expandUdf, isUdf, parseUdf, showUdf, udfOf } from "../../../src/udf/udf.ts";
import { parseWords, wordsOf } from "../../../src/udf/words.ts";
import { hold, octets, type Target, text } from "../target.ts";

const some = udfOf("application/test", new Uint8Array(3));
const foreign = "MB2GK-6DUF5-YGYYL-JNY5E-RWSHZ";

/** Identifiers in every form, and addresses that carry them. */
export const udf: Target = {
  name: "udf",
  files: ["udf/udf.ts", "udf/foreign.ts", "udf/sin.ts"],
  seeds: () => [some, compactUdf(some), `alice@example.com#${some}`, `Alice@Example.com.mm--${compactUdf(some)}`, "a@localhost", "a@b@c.d", foreign, `alice@mm--${foreign}.example.com`, `alice@example.com.mm--${foreign}`].map(octets),
  words: ["@", "#", ".", "-", "mm--", "MM--", some, compactUdf(some), foreign, "localhost", "\u212a", "İ", "xn--"],
  most: 400,
  refusals: [],
  run: (input) => {
    const given = text(input);
    reading("udf-malformed", () => {
      const read = parseUdf(given);
      hold(read === given && isUdf(given) && expandUdf(compactUdf(read)) === read && read.startsWith(showUdf(read)), "an identifier has one spelling");
    });
    reading("udf-malformed", () => hold(compactUdf(expandUdf(given)) === given, "a compact identifier has one spelling"));
    reading("address-malformed", () => {
      const read = parseAddress(given);
      const again = parseAddress(read.address + (read.pin === undefined ? "" : `#${read.pin}`));
      hold(again.address === read.address && again.pin === read.pin && again.address === `${read.user}@${read.domain}`, "an address reads the same again", given);
      if (read.pin !== undefined) hold(parseAddress(`${read.user}@${formatSin(read.domain, read.pin)}`).pin === read.pin, "a name bound to a key reads the same again", given);
    });
    reading("udf-malformed", () => {
      const read = parseForeignUdf(given);
      hold(parseForeignUdf(read.letters).letters === read.letters && read.bits === read.letters.length * 5, "a foreign fingerprint reads the same again");
    });
    reading("udf-malformed", () => void parseForeignAddress(given));
  },
};

/** Words that people type. */
export const words: Target = {
  name: "words",
  files: ["udf/words.ts"],
  seeds: () => ["abandon ability able about above absent", "aban,abil-able  ABOUT above\nabsent", "zoo", ""].map(octets),
  words: ["abandon", "zoo", "aban", ",", "-", " ", "\u2028", "İ", "ſ"],
  most: 200,
  refusals: ["words-malformed"],
  run: (input) => {
    hold(wordsOf(input, Math.floor((input.length * 8) / 11)).every((word) => parseWords(word, 1)[0] === word), "every word is read as itself");
    const read = parseWords(text(input), 6);
    hold(parseWords(read.join(" "), 6).join(" ") === read.join(" "), "words read the same again");
  },
};

function reading(code: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== code) throw error;
  }
}
