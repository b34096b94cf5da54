import { fromBase64url } from "../../src/bytes/base64url.ts";
import { parseCanonical, parseJson } from "../../src/bytes/json.ts";
import { commit } from "../../src/catalogs/commits.ts";
import { readSigned } from "../../src/envelope/signed.ts";
import { catalogRead } from "../../src/protocol/catalogs.ts";
import type { SentCommit } from "../../src/protocol/parts.ts";
import { status } from "../../src/protocol/profiles.ts";
import type { Store } from "../../src/store/store.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { shelf } from "../../src/portal/records.ts";
import type { Command } from "../../src/protocol/command.ts";
import { answerMac } from "../../src/protocol/session.ts";
import { COUNTER_HEADER, encodeResponse, MAC_HEADER, SESSION_HEADER } from "../../src/protocol/wire.ts";
import type { PortalAnswer, PortalRequest } from "../../src/portal/portal.ts";
import { type PortalOptions, startPortal, type TestPortal } from "../support/world.ts";

/** What a portal heard and said, in the clear, as whoever runs it sees it. */
export type Heard = { readonly command: string; readonly request: unknown; readonly answer: unknown };

/** The one member of a request's or answer's body. */
function memberOf(body: Uint8Array): readonly [string, unknown] {
  const value = parseJson(body, { maxBytes: 8 << 20 });
  const member = Object.entries(value as object)[0];
  if (member === undefined) throw new RangeError("an empty body");
  return member;
}

/** Lets a portal lie: its answers to one command are what `trick` makes of the true ones, authenticated as its own. Returns the end of it. */
export function lie<Q, A>(portal: TestPortal, command: Command<Q, A>, trick: (answer: A, request: Q) => A | Promise<A>): () => void {
  const before = portal.meddler.answer;
  portal.meddler.answer = async (request, given) => {
    const answer = (await before?.(request, given)) ?? given;
    const [name, content] = memberOf(request.body);
    if (name !== command.name || answer.status !== 200) return answer;
    const told = await trick(memberOf(answer.body)[1] as A, content as Q);
    return authentic(portal, request, encodeResponse(command, told));
  };
  return () => {
    if (before === undefined) delete portal.meddler.answer;
    else portal.meddler.answer = before;
  };
}

/** An answer as the portal would have given it: it holds the keys of the session. */
export async function authentic(portal: TestPortal, request: PortalRequest, body: Uint8Array): Promise<PortalAnswer> {
  const id = request.headers[SESSION_HEADER];
  const headers = { "content-type": "application/json" };
  if (id === undefined) return { status: 200, headers, body };
  const octets = await portal.store.read((r) => r.get(shelf.sessions, id));
  if (octets === undefined) throw new RangeError("no such session");
  const { answerKey, requestKey } = parseCanonical(octets) as { answerKey: string; requestKey: string };
  const session = { id, answerKey: fromBase64url(answerKey), requestKey: fromBase64url(requestKey) };
  const mac = answerMac(session, { portal: portal.pin, counter: Number(request.headers[COUNTER_HEADER]), status: 200, body });
  return { status: 200, headers: { ...headers, [MAC_HEADER]: mac }, body };
}

/** Writes down all that a portal hears and says from now on. */
export function record(portal: TestPortal): readonly Heard[] {
  const heard: Heard[] = [];
  const before = portal.meddler.answer;
  portal.meddler.answer = async (request, given) => {
    const answer = (await before?.(request, given)) ?? given;
    const [command, content] = memberOf(request.body);
    heard.push({ command, request: content, answer: memberOf(answer.body)[1] });
    return answer;
  };
  return heard;
}

/** A copy of all that a portal's store holds now. */
export async function copyOf(store: Store): Promise<Store> {
  const copy = openMemoryStore();
  for (const name of Object.values(shelf)) {
    const entries = await store.read((r) => r.list(name, ""));
    await copy.transact(async (w) => {
      for (const { key, value } of entries) await w.put(name, key, value);
    });
  }
  return copy;
}

/** A second portal of the same identity over a copy of the first one's state: a backup put back later, or a portal that shows two faces. */
export async function twinOf(portal: TestPortal, profile: PortalOptions["profile"] = {}): Promise<TestPortal> {
  return startPortal("example.com", await copyOf(portal.store), { keys: portal.keys, clock: portal.clock, profile });
}

/** A portal of the same identity that holds nothing: what can be made up behind its name. */
export async function emptyTwinOf(portal: TestPortal): Promise<TestPortal> {
  return startPortal("example.com", openMemoryStore(), { keys: portal.keys, clock: portal.clock });
}

/** Lets a portal serve one more commit at the end of a catalog, which it did not judge. Returns the end of it. */
export function serveAfter(portal: TestPortal, sent: SentCommit): () => void {
  const forged = readSigned(sent.commit, commit);
  const { catalog, index } = forged.payload;
  const stops = [
    lie(portal, status, (answer) => ({ ...answer, heads: answer.heads.map((head) => (head.catalog === catalog ? { catalog, digest: forged.digest, index } : head)) })),
    lie(portal, catalogRead, (answer, request) => (request.catalog === catalog ? { ...answer, commits: [...answer.commits, sent], more: false } : answer)),
  ];
  return () => {
    for (const stop of stops.toReversed()) stop();
  };
}
