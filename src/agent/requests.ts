import * as v from "valibot";

import { fromUtf8 } from "../bytes/text.ts";
import { parseJson } from "../bytes/json.ts";
import { MAX_REQUEST, PROTOCOL, type Request } from "./messages.ts";

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const id = text(512);
const octets = text(MAX_REQUEST);
const common = { v: v.literal(PROTOCOL), build: text(4096), home: text(4096) };

const shape = v.variant("ask", [
  v.strictObject({ ...common, ask: v.literal("status") }),
  v.strictObject({ ...common, ask: v.literal("lock") }),
  v.strictObject({ ...common, ask: v.literal("unlock"), passphrase: text(128 * 1024) }),
  v.strictObject({
    ...common,
    ask: v.literal("run"),
    caller: v.strictObject({
      argv: v.pipe(v.array(text(64 * 1024)), v.maxLength(256)),
      environment: v.record(text(256), text(64 * 1024)),
      terminals: v.tuple([v.boolean(), v.boolean(), v.boolean()]),
      columns: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
    }),
  }),
  v.strictObject({ ...common, ask: v.literal("list") }),
  v.strictObject({ ...common, ask: v.literal("sign"), id, message: octets }),
  v.strictObject({ ...common, ask: v.literal("sign-added"), id, contribution: text(64), publicKey: text(64), message: octets }),
  v.strictObject({ ...common, ask: v.literal("decapsulate"), id, ciphertext: octets }),
  v.strictObject({ ...common, ask: v.literal("derive"), label: id, length: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024)) }),
  v.strictObject({ ...common, ask: v.literal("add"), secrets: v.pipe(v.array(v.strictObject({ id, purpose: id, secret: octets })), v.maxLength(256)) }),
  v.strictObject({ ...common, ask: v.literal("remove"), id }),
]);

/** Reads one line that came over the socket; "version" for one of another version, "malformed" for anything that is no request. */
export function readRequest(line: Uint8Array): Request | "malformed" | "version" {
  let value: unknown;
  try {
    value = parseJson(fromUtf8(line), { maxBytes: MAX_REQUEST });
  } catch {
    return "malformed";
  }
  const version = (value as { readonly v?: unknown } | null)?.v;
  if (typeof version === "number" && version !== PROTOCOL) return "version";
  const { success, output } = v.safeParse(shape, value);
  return success ? output : "malformed";
}
