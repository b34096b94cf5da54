import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fromBase64url } from "../../src/bytes/base64url.ts";
import { concatBytes } from "../../src/bytes/equal.ts";
import { fromUtf8, utf8 } from "../../src/bytes/text.ts";
import { sha512 } from "../../src/crypto/digest.ts";
import { VerifyingKey } from "../../src/crypto/key-pair.ts";
import { verify } from "../../src/crypto/sign.ts";
import type { RequestOf } from "../../src/protocol/command.ts";
import type { publish } from "../../src/protocol/profiles.ts";
import { requestMac } from "../../src/protocol/session.ts";
import { SERVICE_PATH } from "../../src/protocol/wire.ts";
import { readBatch } from "./batches.ts";
import { requestsOf, sessionsOf } from "./requests.ts";
import { drive } from "./round.ts";
import type { Role } from "./worker.ts";

/** Works that share a commit, and how long they wait for one another in milliseconds: as in the portal's store. */
const [COMPANY, LINGER] = [32, 4];

/**
 * The least that a service does which takes signed updates: it makes a request's MAC, reads its JSON, decodes and verifies, makes the digest and puts one row.
 *
 * It knows everybody's keys and sessions, imported and in memory; it reads nothing, checks no shape and no rule, keeps no answer and no log, and waits for no disk.
 */
export const floor: Role = async (folder = "", directory = "", portal = "") => {
  const put = rows(join(directory, "floor.db"));
  const keys = readBatch(join(folder, "keys.bin")).map((raw) => new VerifyingKey(raw));
  for (const key of keys) void key.halves;
  const known = new Map(sessionsOf(folder).map((session, at) => [session.id, { session, key: keys[at] as VerifyingKey }]));
  return async ({ round, atOnce }) => {
    const requests = requestsOf(folder, round, portal);
    return () =>
      drive(requests, atOnce, async ({ session: id, counter, mac, body, good }) => {
        const { session, key } = known.get(id) ?? unknown();
        if (requestMac(session, { portal, method: "POST", path: SERVICE_PATH, query: "", counter, body }) !== mac) return false;
        const jws = (JSON.parse(fromUtf8(body)) as { Publish: RequestOf<typeof publish> }).Publish.parts[0]?.object ?? unknown();
        const [message, signature] = [utf8(`${jws.protected}.${jws.payload}`), fromBase64url(jws.signature)];
        if (!(await verify(key, message, signature))) return !good;
        JSON.parse(fromUtf8(fromBase64url(jws.payload)));
        await put(sha512(message), concatBytes(message, signature));
        return good;
      });
  };
};

function unknown(): never {
  throw new Error("a request of nobody, or without its object");
}

/** Puts rows, many in one commit. */
function rows(path: string): (key: Uint8Array, value: Uint8Array) => Promise<void> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE object (id INTEGER PRIMARY KEY, key BLOB UNIQUE, value BLOB)");
  const insert = database.prepare("INSERT INTO object (key, value) VALUES (?, ?)");
  let waiting: { readonly key: Uint8Array; readonly value: Uint8Array; readonly done: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const commit = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const works = waiting;
    waiting = [];
    database.exec("BEGIN IMMEDIATE");
    for (const { key, value } of works) insert.run(key, value);
    database.exec("COMMIT");
    for (const { done } of works) done();
  };
  return (key, value) =>
    new Promise((done) => {
      waiting.push({ key, value, done });
      if (waiting.length >= COMPANY) commit();
      else timer ??= setTimeout(commit, LINGER);
    });
}
