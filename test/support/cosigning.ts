import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fromBase64url } from "../../src/bytes/base64url.ts";
import { fromUtf8 } from "../../src/bytes/text.ts";
import { openConnection } from "../../src/http/call.ts";
import { readCheckpoint, readNote, readVerifierKey, signatureBy } from "../../src/notary/index.ts";
import type { PortalProcess } from "./processes.ts";

/** The keys of a portal's newest log, as its profile lists them. */
export function logKeysOf(directory: string): string {
  const { payload } = JSON.parse(readFileSync(join(directory, "profile.json"), "utf8")) as { payload: string };
  return (JSON.parse(fromUtf8(fromBase64url(payload))) as { logKeys: string[] }).logKeys.slice(-2).join("\n");
}

/** What a portal said at its start of how it vouches for others: a line of the file for --cosigners. */
export function lineOf({ said, pin }: PortalProcess): string {
  const [, url = "", key = ""] = /^Cosigns at (\S+) as (\S+)$/m.exec(said()) ?? assert.fail(said());
  return `${url}#${pin} ${key}\n`;
}

/** What a portal serves at a path; undefined where there is nothing. */
export async function pageOf(port: number, path: string): Promise<Uint8Array | undefined> {
  const connection = openConnection(`https://127.0.0.1:${port}`, { trust: "any" });
  const { body, status } = await connection.get(path, {}).finally(() => connection.close());
  // Before its first epoch a log has no checkpoint.
  if (status === 404) return undefined;
  assert.equal(status, 200, fromUtf8(body));
  return body;
}

/** Waits until the checkpoint that is served has the word of a cosigner under it; returns its size. */
export async function untilCosigned(port: number, line: string, log = 1): Promise<number> {
  const key = readVerifierKey(line.trim().split(" ")[1] ?? "");
  for (let tries = 0; tries < 100; tries++) {
    const page = await pageOf(port, `/mesh/${log}/checkpoint`);
    const note = page === undefined ? undefined : readNote(page);
    if (note !== undefined && signatureBy(key, note) !== undefined) return readCheckpoint(note.text).size;
    await pause(100);
  }
  return assert.fail("not cosigned within ten seconds");
}
