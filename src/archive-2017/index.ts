/** Signed objects of 2017: read leniently, judged by their own rules, never Verified. */
export { type ArchivedFinding, judgeArchived } from "./judge.ts";
export { type ArchivedKey, readKey, udf2017 } from "./key.ts";
export { parseLenient } from "./lenient-json.ts";
export { type ArchivedSigned, isArchived, readArchived } from "./signed.ts";
