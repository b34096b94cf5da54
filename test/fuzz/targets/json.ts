import { isDeepStrictEqual } from "node:util";

import { canonicalJson, type Json } from "../../../src/bytes/canonical-json.ts";
import { parseCanonical, parseJson } from "../../../src/bytes/json.ts";
import { readStrictly } from "../../../src/bytes/strict-json.ts";
import { fromUtf8 } from "../../../src/bytes/text.ts";
import { hold, octets, refusalOf, type Target } from "../target.ts";

/** JSON, strict and canonical: both readers agree, and what is read has one canonical text that reads as the same. */
export const json: Target = {
  name: "json",
  files: ["bytes/json.ts", "bytes/strict-json.ts", "bytes/canonical-json.ts", "bytes/text.ts"],
  seeds: () => ['{"a":[1,-0.5e-3,true,null],"b":{"":"\\u00e9\\n\\""}}', "[]", '{"10":1,"9":2,"__proto__":{"x":[]}}', '"\\ud834\\udd1e"', '{"a":1,"a":2}', " [ 1 , 2 ] ", `${"[".repeat(33)}1${"]".repeat(33)}`, "1e999", '"\\ud800"', "\uFEFF{}"].map(octets),
  words: ['"', "\\u", "\\ud800", "\\udc00", "{}", "[]", '":', ",", "true", "false", "null", "1e5", "-0", "1.0", "\\", '\\"', "__proto__", " ", "\t", "\u2028", "\uFEFF", "[[[[[[[["],
  refusals: ["json-malformed", "json-too-large", "json-too-deep", "json-duplicate-member"],
  run: (input) => {
    const canonical = refusalOf(() => parseCanonical(input));
    const value = parseJson(input);
    // `parseJson` has a quick way that the strict reader must never contradict.
    hold(isDeepStrictEqual(readStrictly(fromUtf8(input), 32), value), "the quick reader reads as the strict one");
    const text = canonicalJson(value);
    hold(canonicalJson(parseCanonical(text)) === text, "canonical text reads as the value that it was made of", text);
    hold((canonical === undefined) === (text === fromUtf8(input)), "only canonical text is read as canonical", text);
    hold(canonical === undefined || canonical.code === "json-not-canonical", "what is JSON is refused as not canonical alone", canonical?.code);
    hold(isDeepStrictEqual(JSON.parse(fromUtf8(input)) as Json, value), "the engine's reader reads the same", JSON.stringify([JSON.parse(fromUtf8(input)), JSON.parse(fromUtf8(input)), value, fromUtf8(input)]));
  },
};
