import { canonicalBytes, canonicalJson, type Json } from "../../../src/bytes/canonical-json.ts";
import { equalBytes } from "../../../src/bytes/equal.ts";
import { parseJson } from "../../../src/bytes/json.ts";
import { fromUtf8 } from "../../../src/bytes/text.ts";
import { gatherHeaders, splitTarget } from "../../../src/http/receive.ts";
import { parsePortalUrl } from "../../../src/http/url.ts";
import { networkOf } from "../../../src/portal/limits.ts";
import { commands } from "../../../src/protocol/commands.ts";
import { eventsIn, writeEvent } from "../../../src/protocol/events.ts";
import { splitOctets } from "../../../src/protocol/octets.ts";
import { decodeCarrying, decodeRequest, encodeRequest, encodeResponse } from "../../../src/protocol/wire.ts";
import type { Command } from "../../../src/protocol/command.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import { udfOf } from "../../../src/udf/udf.ts";
import { hold, octets, type Target, text } from "../target.ts";

const id = udfOf("application/test", new Uint8Array(1));
const jsonRefusals = ["json-malformed", "json-too-deep", "json-duplicate-member", "json-too-large", "text-malformed"] as const;
const words = [...commands.map(({ name }) => name), ...commands.map(({ name }) => `${name}Response`), "error", "code", "message", "master", "device", "address", "catalog", "from", "after", "parts", "kind", "personal", "commit", "body", "digest", "\u0000", id, "AAAA", "portal-rollback", "service-internal"];

/** Bodies of requests, as anybody may send them to a portal. */
export const request: Target = {
  name: "request",
  files: ["protocol/"],
  seeds: () => ['{"Hello":{}}', `{"Status":{}}`, '{"ValidateAccount":{"address":"alice@example.com"}}', `{"GetProfiles":{"master":"${id}"}}`, `{"CatalogRead":{"catalog":"${id}","from":1}}`, '{"PutBlob":{"digest":"AAAA"}}\u0000octets', `{"Get":{"address":"alice@example.com"}}`, '{"OpenSession":{"ciphertext":"AAAA","member":"AAAA"}}', '{"Publish":{"parts":[{"kind":"commit","commit":{"payload":"","protected":"","signature":""}}]}}'].map(octets),
  words,
  refusals: ["request-malformed", "request-unknown-command", ...jsonRefusals],
  run: (input) => {
    const { command, request } = decodeRequest(input);
    const { octets: carried, ...plain } = request as { readonly octets?: Uint8Array };
    const again = encodeRequest(command, carried === undefined ? request : plain, carried);
    const read = decodeRequest(again);
    hold(read.command === command && equalBytes(encodeRequest(command, carried === undefined ? read.request : plain, carried), again), "a request reads the same again");
    // White space and order are the sender's; all else is in the one text.
    hold(canonicalJson(parseJson(splitOctets(input).text)) === fromUtf8(splitOctets(again).text), "a request says what its body says");
  },
};

/** Bodies of answers, as a portal that cheats may send them, to the commands that they name. */
export const response: Target = {
  name: "response",
  files: ["protocol/"],
  seeds: () => ['{"HelloResponse":{}}', '{"error":{"code":"session-unknown","message":"x"}}', '{"error":{"code":"portal-rollback","message":"x"}}', '{"ValidateAccountResponse":{"available":true}}', '{"GetBlobResponse":{}}\u0000octets', '{"StatusResponse":{"version":1}}', '{"CatalogReadResponse":{"commits":[],"head":0}}'].map(octets),
  words,
  refusals: [],
  run: (input) => {
    const all = commands as readonly unknown[] as readonly Command<never, unknown>[];
    const named = all.filter(({ name }) => text(input).includes(`"${name}Response"`));
    for (const command of named.length === 0 ? all.slice(0, 1) : named) {
      try {
        const { answer, octets: carried } = decodeCarrying(command, input);
        hold(canonicalJson(parseJson(splitOctets(input).text, { maxBytes: 8 << 20 })) === fromUtf8(splitOctets(encodeResponse(command, answer as Json, carried)).text), "an answer says what its body says");
      } catch (error) {
        if (!(error instanceof MeshError)) throw error;
        hold(!error.code.startsWith("portal-"), "no portal accuses itself", error.code);
      }
    }
  },
};

async function* inPieces(input: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.length; at += length) yield input.subarray(at, at + length);
}

/** What a portal sends to a device that watches. */
export const events: Target = {
  name: "events",
  files: ["protocol/events"],
  seeds: () => ['retry: 1000\ndata: {"WatchResponse":{"revision":7}}\n\n', "retry: 0\n\n", ": x\n\ndata:y\ndata: z\n\n", "data: cut off"].map(octets),
  words: ["retry: ", "data: ", "\n", "\n\n", "\r\n", "event: ", "999999999", "-1", "1e9"],
  refusals: ["answer-malformed", "service-answer-too-large"],
  run: async (input) => {
    const found = await Array.fromAsync(eventsIn(inPieces(input, 1 << 20)));
    const said = found.map(writeEvent).map((event) => fromUtf8(event));
    hold(said.join() === (await Array.fromAsync(eventsIn(inPieces(input, 1)))).map(writeEvent).map((event) => fromUtf8(event)).join(), "events are the same however they are cut");
    for (const { retry } of found) hold(retry === undefined || (Number.isSafeInteger(retry) && retry >= 0), "a time is a whole number");
    const again = await Array.fromAsync(eventsIn(inPieces(octets(said.join("")), 7)));
    hold(again.map(writeEvent).map((event) => fromUtf8(event)).join() === said.join(), "an event reads the same again");
  },
};

/** What else stands in a request or in front of it: its target, its headers, an address, a portal's URL. */
export const http: Target = {
  name: "http",
  files: ["http/url.ts", "http/receive.ts", "portal/limits.ts"],
  seeds: () => [`https://example.com:8663#${id}`, "https://[::1]/", "http://x", "https://user@x/", "/.well-known/mmm?x=1", "2001:db8::1", "::ffff:192.0.2.1", "Host: a\nHost: b", "__proto__: x\n"].map(octets),
  words: ["https://", "#", "@", "?", ":", "::", "[", "]", "%00", "\\", "\t", "xn--", "host", "__proto__", "0x7f.1"],
  most: 300,
  refusals: ["service-url"],
  run: (input) => {
    const given = text(input);
    const target = splitTarget(given);
    if (target !== undefined) hold(given === target.path + (given.includes("?") ? `?${target.query}` : ""), "a target is cut and not changed");
    hold(typeof networkOf(given) === "string", "every address is in a network");
    const headers = gatherHeaders(given.split(/\n|: /));
    hold(headers === undefined || Object.getPrototypeOf(headers) === null, "headers are nobody's but the sender's");
    const url = parsePortalUrl(given);
    const again = parsePortalUrl(`${url.origin}${url.pin === undefined ? "" : `#${url.pin}`}`);
    hold(again.host === url.host && again.port === url.port && canonicalBytes(url as unknown as Json).length > 0, "a URL reads the same again");
  },
};
