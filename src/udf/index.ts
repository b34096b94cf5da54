/** The only identifier, the addresses that carry it, and words for people. */
export { type ForeignAddress, type ForeignUdf, parseForeignAddress, parseForeignUdf } from "./foreign.ts";
export { type Address, formatSin, parseAddress } from "./sin.ts";
export { compactUdf, expandUdf, isUdf, KEY_TYPE, parseUdf, showUdf, type Udf, udfOf, udfOfKey } from "./udf.ts";
export { parseWords, wordsOf } from "./words.ts";
