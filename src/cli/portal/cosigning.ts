import { readFileSync } from "node:fs";
import { join } from "node:path";

import { utf8 } from "../../bytes/text.ts";
import { generateLogKey, logKeyFromSeed, logKeySeed } from "../../crypto/log-key.ts";
import { errorResponse, type HttpResponse } from "../../http/answer.ts";
import type { HttpRequest } from "../../http/receive.ts";
import { openKeyringFile } from "../../keyring/file.ts";
import type { NoteSigner } from "../../notary/cosignature.ts";
import { cosign, type CosigningAnswer } from "../../notary/keeping/cosign.ts";
import { readVerifierKey, type VerifierKey, verifierKey, writeVerifierKey } from "../../notary/verifier-key.ts";
import { Buckets, networkOf } from "../../portal/limits.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Store } from "../../store/store.ts";
import type { PortalData } from "./data.ts";
import { newestLog } from "./log-keys.ts";
import { unable } from "./unable.ts";

/** Where logs are cosigned: the submission prefix of C2SP `tlog-witness`. */
export const COSIGNING_PREFIX = "/mesh/cosign";

/** Checkpoints an address may show in a minute: a log has one a second at most. */
const CHECKPOINTS_PER_MINUTE = 240;

/** The most lines of a file that names logs or cosigners, and its most octets. */
const MAX_LINES = 1000;
const MAX_OCTETS = 4 << 20;

/** A portal that vouches for the logs of others. */
export type Cosigning = { /** Its key, as those have it who build on its word. */ readonly key: string; /** Undefined for what is not its path. */ readonly answer: (request: HttpRequest, remote: string) => Promise<HttpResponse> | undefined };

/** Has a portal cosign the logs whose keys stand in some files, one a line; undefined where no file is named. One that is empty yet tells its operator the key. */
export async function beginCosigning(directory: string, { identity, settings }: PortalData, store: Store, files: readonly string[], now: () => number): Promise<Cosigning | undefined> {
  if (files.length === 0) return undefined;
  const logs = logsIn(files);
  const signer = await cosignerKey(directory, settings.domain, newestLog(identity.profile.payload));
  const asked = new Buckets(CHECKPOINTS_PER_MINUTE, 60_000);
  return {
    key: writeVerifierKey(signer.key),
    answer: ({ body, method, path }, remote) => {
      if (path !== `${COSIGNING_PREFIX}/add-checkpoint`) return undefined;
      if (method !== "POST") return Promise.resolve(plain(405, "POST a checkpoint.\n", { allow: "POST" }));
      if (!asked.take(networkOf(remote), now())) return Promise.resolve(errorResponse(429, "service-rate-limited", "Too many checkpoints from this address; wait a minute."));
      return cosign({ store, logs, signer, now }, body).then(answered, unable);
    },
  };
}

/** What the lines of a file say, without empty ones and remarks, perhaps nothing; `input-unreadable`, `input-malformed`, and what `read` refuses, with its place. */
export function readLines<T>(file: string, read: (line: string) => T): readonly T[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new MeshError("input-unreadable", `The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "?"}).`, "An option names it, or did so before: then portal.json has it. Name another, or `none`.");
  }
  const lines = text.split("\n").map((line) => line.trim());
  demand(text.length <= MAX_OCTETS && lines.length <= MAX_LINES, "input-malformed", `The file ${file} has more than ${MAX_LINES} lines.`);
  return lines.flatMap((line, at) => {
    if (line === "" || line.startsWith("#")) return [];
    try {
      return [read(line)];
    } catch (error) {
      throw error instanceof MeshError ? new MeshError(error.code, `${file}, line ${at + 1}: ${error.message}`, error.hint) : error;
    }
  });
}

function logsIn(files: readonly string[]): ReadonlyMap<string, readonly VerifierKey[]> {
  const logs = new Map<string, readonly VerifierKey[]>();
  for (const key of files.flatMap((file) => readLines(file, readVerifierKey))) logs.set(key.name, [...(logs.get(key.name) ?? []), key]);
  return logs;
}

/**
 * The key by which a portal vouches for others, made when it is first needed; it ends with the portal's own log: after a restore the heads that it
 * vouched for may be forgotten, and so must be whose word they were.
 */
async function cosignerKey(directory: string, domain: string, log: number): Promise<NoteSigner> {
  const id = `portal-cosigner-${log}`;
  const keyring = await openKeyringFile(join(directory, "keyring.json"), undefined);
  try {
    if (!keyring.has(id)) await keyring.add(id, "portal-cosigner", logKeySeed(generateLogKey("ed25519")));
    const key = logKeyFromSeed("ed25519", await keyring.open(id));
    return { key: verifierKey(`${domain}/mesh/cosigner/${log}`, "cosignature/v1", key.publicKey), sign: (message) => key.sign(message) };
  } finally {
    keyring.close();
  }
}

const REASONS = { 400: "This is no add-checkpoint request.", 403: "None of the log's keys signed this checkpoint.", 404: "This log is not known here.", 422: "The proof does not lead from what was cosigned to this checkpoint." } as const;

function answered(answer: CosigningAnswer): HttpResponse {
  if (answer.status === 200) return plain(200, answer.lines);
  if (answer.status === 409) return { ...plain(409, `${answer.size}\n`), headers: { "content-type": "text/x.tlog.size" } };
  return plain(answer.status, `${REASONS[answer.status]}\n`);
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: utf8(text) };
}
