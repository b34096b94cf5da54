import * as v from "valibot";

import { fromBase64url, toBase64url } from "../../../bytes/base64url.ts";
import { canonicalBytes, canonicalJson, type Json } from "../../../bytes/canonical-json.ts";
import { equalBytes, wipe } from "../../../bytes/equal.ts";
import { utf8 } from "../../../bytes/text.ts";
import { type Entry, writes } from "../../../catalogs/merge.ts";
import { hkdf } from "../../../crypto/digest.ts";
import { defaultPasswordParameters, type PasswordOptions, type PasswordParameters, passwordKey } from "../../../crypto/password-key.ts";
import { randomBytes } from "../../../crypto/random.ts";
import { countField, octetsField } from "../../../envelope/fields.ts";
import { keyedShape, keyedUnder, openKeyed } from "../../../envelope/keyed.ts";
import { readShape } from "../../../envelope/shape.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { limits } from "../limits.ts";
import { checkItems } from "./limits.ts";
import { damaged } from "./damage.ts";
import { objectIn } from "./decode.ts";

/** What the file says of itself (docs/spec/passwords.md 6). */
const FORMAT = "mesh-passwords";
const PURPOSE = "mesh/passwords/file/v1";

/** The octets of attachments, each by its entry and the field that holds it (`attachedAt`). */
export type Attached = ReadonlyMap<string, Uint8Array>;

/** The key of an attachment among others. */
export function attachedAt(entry: string, field: string): string {
  return `${entry}/${field}`;
}

/** What a file holds. */
export type Filed = { readonly entries: readonly FiledEntry[]; readonly attached: Attached };

/** One entry in a file: for each field its values, the one that holds first. */
export type FiledEntry = { readonly id: string; readonly fields: Readonly<Record<string, readonly Json[]>> };

const FIELD_NAME = /^[a-z][A-Za-z0-9._:-]{0,63}$/;
const fieldsShape = v.custom<FiledEntry["fields"]>((input) => typeof input === "object" && input !== null && !Array.isArray(input) && Object.entries(input).every(([name, values]) => FIELD_NAME.test(name) && Array.isArray(values) && values.length > 0), "must be fields with their values");
const entriesShape = v.array(v.strictObject({ fields: fieldsShape, id: octetsField({ octets: 16 }) }));
const filesShape = v.array(v.strictObject({ entry: octetsField({ octets: 16 }), field: v.pipe(v.string(), v.regex(FIELD_NAME)), octets: octetsField({ most: limits.attachment }) }));
const contentShape = v.strictObject({ entries: entriesShape, files: v.optional(filesShape, []) });
const plainShape = v.strictObject({ ...contentShape.entries, format: v.literal(FORMAT), v: v.literal(1) });
const sealedShape = v.strictObject({
  format: v.literal(FORMAT),
  sealed: v.strictObject({ commitment: octetsField({ octets: 32 }), content: keyedShape, lanes: countField(), memoryKiB: countField(), passes: countField(), salt: octetsField({ octets: 32 }) }),
  v: v.literal(1),
});

/** What tests turn, so that they are quick; product code gives none of it. */
export type FileKeyOptions = { readonly parameters?: PasswordParameters; readonly floor?: NonNullable<PasswordOptions["floor"]> };

/** Whether a JSON value says that it is such a file; whether it is sealed. */
export function meshFileIn(file: Json): { readonly sealed: boolean } | undefined {
  const members = file as { readonly format?: Json; readonly sealed?: Json } | null;
  return typeof file === "object" && members?.format === FORMAT ? { sealed: members.sealed !== undefined } : undefined;
}

/** Writes a whole catalog, history and what was removed included, with the octets of attachments, in one spelling; under a password if one is given. */
export async function writeMeshFile(entries: readonly Entry[], attached: Attached, password: Uint8Array | undefined, options: FileKeyOptions = {}): Promise<string> {
  const filed = [...entries].sort((a, b) => (a.id < b.id ? -1 : 1)).map(filedOf).filter((one) => Object.keys(one.fields).length > 0);
  const files = [...attached].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, octets]) => ({ entry: key.slice(0, key.indexOf("/")), field: key.slice(key.indexOf("/") + 1), octets: toBase64url(octets) }));
  const content = { entries: filed as unknown as Json, ...(files.length === 0 ? {} : { files }) };
  // What it is comes first, so that a file that is cut off can still be told.
  const head = `{"format":"${FORMAT}","v":1,`;
  if (password === undefined) return `${head}${canonicalJson(content).slice(1)}\n`;
  const { memoryKiB, passes, lanes } = options.parameters ?? defaultPasswordParameters;
  const salt = randomBytes(32);
  const key = await passwordKey(password, salt, { memoryKiB, passes, lanes }, floorOf(options));
  try {
    const sealed = { commitment: toBase64url(commitmentOf(key, salt)), content: keyedUnder(key, PURPOSE, canonicalBytes(content)), lanes, memoryKiB, passes, salt: toBase64url(salt) };
    return `${head}"sealed":${canonicalJson(sealed)}}\n`;
  } finally {
    wipe(key);
  }
}

/** All that an entry holds and held, less what was purged. */
export function filedOf(entry: Entry): FiledEntry {
  const values = Object.keys(entry.fields).map((name): [string, Json[]] => [name, writes(entry, name).map((write) => write.value)]);
  return { fields: Object.fromEntries(values.filter(([, all]) => all.length > 0)), id: entry.id };
}

/**
 * Reads such a file.
 * @throws MeshError `import-newer`, `import-damaged`, `import-wrong-password`, `password-key-parameters`
 */
export async function readMeshFile(file: Json, password: Uint8Array | undefined, options: FileKeyOptions = {}): Promise<Filed> {
  const version = (file as { readonly v?: Json }).v;
  if (Number.isSafeInteger(version) && (version as number) > 1) throw new MeshError("import-newer", `A newer version of the program wrote this file (format ${String(version)}, known 1).`, "Update this one; nothing was imported.");
  if (meshFileIn(file)?.sealed !== true) return filedFrom(readShape(plainShape, file, "import-damaged", "file of passwords"));
  const { sealed } = readShape(sealedShape, file, "import-damaged", "sealed file of passwords");
  if (password === undefined) throw new MeshError("import-wrong-password", "This file needs its password.");
  const { memoryKiB, passes, lanes } = sealed;
  const salt = fromBase64url(sealed.salt);
  const key = await passwordKey(password, salt, { memoryKiB, passes, lanes }, floorOf(options));
  try {
    // First, because AES-GCM alone lets one ciphertext be made that opens under two keys.
    if (!equalBytes(commitmentOf(key, salt), fromBase64url(sealed.commitment))) throw new MeshError("import-wrong-password", "This password does not open the file.");
    const opened = openKeyed(key, PURPOSE, sealed.content);
    if (opened === undefined) throw damaged("it was changed after it was written.");
    return filedFrom(readShape(contentShape, objectIn(opened, false).object, "import-damaged", "file of passwords"));
  } finally {
    wipe(key);
  }
}

function filedFrom({ entries, files }: v.InferOutput<typeof contentShape>): Filed {
  checkItems(entries.length);
  return { entries, attached: new Map(files.map(({ entry, field, octets }) => [attachedAt(entry, field), fromBase64url(octets)])) };
}

function floorOf({ floor }: FileKeyOptions): PasswordOptions {
  return floor === undefined ? {} : { floor };
}

function commitmentOf(key: Uint8Array, salt: Uint8Array): Uint8Array {
  return hkdf(key, salt, utf8(`${PURPOSE}/commit`), 32);
}
