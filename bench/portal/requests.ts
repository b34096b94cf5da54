import { readFileSync } from "node:fs";
import { join } from "node:path";
import { requestMac, type Session } from "../../src/protocol/session.ts";
import { SERVICE_PATH } from "../../src/protocol/wire.ts";
import { readBatch } from "./batches.ts";

/** One request of a round with its headers' values; `good` ones must be accepted, the others refused as `signature-invalid`. */
export type Request = { readonly session: string; readonly counter: number; readonly mac: string; readonly body: Uint8Array; readonly good: boolean };

/** In so many updates one comes with a false signature first. */
const FALSE_EVERY = 100;

/** The requests of one round in random order: the next update of every account, and some with a broken signature. */
export function requestsOf(folder: string, round: number, portal: string): Request[] {
  const sessions = sessionsOf(folder);
  const bodies = shuffled([...readBatch(join(folder, `round-${round}.bin`)).entries()]);
  return bodies.flatMap(([account, body], place) => {
    const session = sessions[account] as Session;
    const make = (counter: number, octets: Uint8Array, good: boolean): Request => ({ session: session.id, counter, body: octets, good, mac: requestMac(session, { portal, method: "POST", path: SERVICE_PATH, query: "", counter, body: octets }) });
    const one = make(2 * round + 2, body, true);
    return place % FALSE_EVERY === 0 ? [make(2 * round + 1, broken(body), false), one] : [one];
  });
}

/** The open session of every account, as far as requests need it. */
export function sessionsOf(folder: string): readonly Session[] {
  const kept = JSON.parse(readFileSync(join(folder, "sessions.json"), "utf8")) as { id: string; key: string }[];
  return kept.map(({ id, key }) => ({ id, requestKey: Buffer.from(key, "base64url"), answerKey: new Uint8Array() }));
}

/** The same request with one character of its signature changed: true in form, false in truth. */
function broken(body: Uint8Array): Uint8Array {
  const copy = Buffer.from(body);
  const at = copy.lastIndexOf('"signature":"') + 200;
  copy[at] = copy[at] === 0x41 ? 0x42 : 0x41;
  return copy;
}

function shuffled<T>(items: T[]): T[] {
  return items.map((item) => ({ item, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}
