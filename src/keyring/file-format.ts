import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { equalBytes } from "../bytes/equal.ts";
import { parseCanonical } from "../bytes/json.ts";
import { hmac } from "../crypto/digest.ts";
import { countField, octetsField } from "../envelope/fields.ts";
import { keyedShape } from "../envelope/keyed.ts";
import { readShape } from "../envelope/shape.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { derived, ROOT_OCTETS } from "./secrets.ts";

/** The largest file read or written: thousands of keys. */
export const MAX_OCTETS = 4 * 1024 * 1024;

const FORMAT = 1;

/** The random key, readable as it stands: protection is the file's mode. */
const open = v.strictObject({ name: v.literal("none"), key: octetsField({ octets: ROOT_OCTETS }) });

/** The random key under a passphrase: how to make a key of that, which key it is (so that no file opens under two passphrases), the seal. */
const locked = v.strictObject({
  name: v.literal("argon2id"),
  commitment: octetsField({ octets: 32 }),
  key: keyedShape,
  lanes: countField(),
  memoryKiB: countField(),
  passes: countField(),
  salt: octetsField({ octets: 32 }),
});

/**
 * `keyring.json`, format 1, in canonical JSON (RFC 8785).
 *
 * `keyring` names the random key without telling it; `mac` is HMAC-SHA-512 under that key over all other members; each secret is sealed by
 * itself under the random key, its name and purpose (`envelope/keyed.ts`).
 */
const shape = v.strictObject({
  format: v.literal(FORMAT),
  keyring: octetsField({ octets: 32 }),
  lock: v.variant("name", [open, locked]),
  mac: octetsField({ octets: 64 }),
  secrets: v.array(v.strictObject({ id: v.string(), purpose: v.string(), sealed: keyedShape })),
});

export type KeyringFile = v.InferOutput<typeof shape>;
export type Lock = KeyringFile["lock"];

/** A file as read, and a stamp that is another one once the file was replaced. */
export type Read = { readonly file: KeyringFile; readonly stamp: string };

/** Reads and checks the form of a keyring file; whether its MAC is right only who holds the key can tell (`demandAuthentic`). */
export function readKeyringFile(path: string): Read {
  const { octets, stamp } = readPrivate(path);
  let json: Json;
  try {
    json = parseCanonical(octets, { maxBytes: MAX_OCTETS });
  } catch {
    throw damaged(path, "it is cut off or changed");
  }
  const format = (json as { readonly format?: Json } | null)?.format;
  if (Number.isSafeInteger(format) && (format as number) > FORMAT) {
    throw new MeshError("keyring-newer", `A newer version of the program wrote ${path} (format ${String(format)}, known ${FORMAT}).`, "Update this one; the keyring was not touched.");
  }
  return { file: readShape(shape, json, "keyring-damaged", `keyring ${path}`), stamp };
}

/** Demands that a file was written by who held this random key, and is that keyring (`keyring-damaged`). */
export function demandAuthentic(path: string, file: KeyringFile, root: Uint8Array): void {
  if (file.keyring !== nameOf(root)) throw damaged(path, "it is another keyring than the one expected");
  if (!equalBytes(fromBase64url(file.mac), macOf(file, root))) throw damaged(path, "it was changed by somebody who could not open it");
}

/** The octets of a file with this lock and these secrets. */
export function keyringOctets(root: Uint8Array, lock: Lock, secrets: KeyringFile["secrets"]): Uint8Array {
  const body = { format: FORMAT, keyring: nameOf(root), lock, mac: "", secrets } as const;
  const octets = canonicalBytes({ ...body, mac: toBase64url(macOf(body, root)) });
  if (octets.length > MAX_OCTETS) throw new MeshError("keyring-failed", `A keyring holds at most ${MAX_OCTETS} octets.`);
  return octets;
}

/** What identifies the file at the path now; `undefined` if there is none. */
export function stampAt(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && stampOf(found);
}

/** The MeshError for an error of the file system; others stay what they are. */
export function translate(error: unknown, path: string): unknown {
  const code = error instanceof MeshError ? undefined : (error as NodeJS.ErrnoException).code;
  if (code === undefined) return error;
  if (code === "ENOENT" || code === "ENOTDIR") return new MeshError("keyring-not-found", `There is no keyring at ${path}.`);
  return new MeshError("keyring-failed", `The keyring ${path} cannot be read or written (${code}).`);
}

function nameOf(root: Uint8Array): string {
  return toBase64url(derived(root, "id", 32));
}

function macOf(file: KeyringFile, root: Uint8Array): Uint8Array {
  return hmac(derived(root, "mac", 64), canonicalBytes({ ...file, mac: "" }));
}

function damaged(path: string, why: string): MeshError {
  return new MeshError("keyring-damaged", `The keyring ${path} is damaged: ${why}.`, "Restore it from a backup, or join again as a new device.");
}

function readPrivate(path: string): { readonly octets: Uint8Array; readonly stamp: string } {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    // Of the open file, not of the name, which may mean another file a moment later.
    const found = fstatSync(file, { bigint: true });
    if (!found.isFile()) throw damaged(path, "it is no file");
    demandPrivate(path, found, "600");
    demandPrivateFolder(path);
    if (found.size > MAX_OCTETS) throw damaged(path, "it is too large");
    const octets = new Uint8Array(Number(found.size));
    if (readSync(file, octets) !== octets.length) throw damaged(path, "it is cut off");
    return { octets, stamp: stampOf(found) };
  } catch (error) {
    throw translate(error, path);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Demands that the folder of a keyring is its owner's alone (`keyring-permissions`). */
export function demandPrivateFolder(path: string): void {
  demandPrivate(dirname(path), statSync(dirname(path), { bigint: true }), "700");
}

/** Demands that nobody else may reach it, or put another in its place (`keyring-permissions`). */
function demandPrivate(path: string, found: BigIntStats, mode: string): void {
  const user = process.geteuid?.();
  if (user === undefined) return; // Windows has other means.
  if ((found.mode & 0o077n) !== 0n) {
    throw new MeshError("keyring-permissions", `Others on this computer may reach ${path} (mode ${(found.mode & 0o777n).toString(8)}).`, `chmod ${mode} '${path}'`);
  }
  if (user !== 0 && found.uid !== BigInt(user)) {
    throw new MeshError("keyring-permissions", `${path} belongs to another user.`, `chown ${user} '${path}'`);
  }
}

function stampOf(found: BigIntStats): string {
  return `${found.dev}-${found.ino}-${found.size}-${found.mtimeNs}-${found.ctimeNs}`;
}
