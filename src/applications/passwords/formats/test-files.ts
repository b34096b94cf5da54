import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type Entry, merge } from "../../../catalogs/merge.ts";
import { testPasswordParameters } from "../../../crypto/password-key.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import type { FormatName } from "./formats.ts";
import type { Plan } from "./plan.ts";
import { readPasswords } from "./read.ts";
import { type WrittenFormat, writePasswords } from "./write.ts";

const folder = join(import.meta.dirname, "../../../../vectors/passwords");

/** The password of every vector that has one. */
export const vectorPassword = "correct horse battery staple ü";

/** The files of `vectors/passwords/FORMAT/valid` or `invalid`. */
export function vectorsOf(format: FormatName, kind: "valid" | "invalid"): readonly { readonly name: string; readonly octets: Uint8Array }[] {
  const path = join(folder, format, kind);
  if (!existsSync(path)) return [];
  return readdirSync(path).sort().map((name) => ({ name, octets: readFileSync(join(path, name)) }));
}

/** One vector. */
export function vector(format: FormatName, kind: "valid" | "invalid", name: string): Uint8Array {
  return readFileSync(join(folder, format, kind, name));
}

/** Keys that tests make quickly. */
export const quickKeys = { parameters: testPasswordParameters, floor: "test" } as const;

/** How a test reads a file. */
export type How = { readonly format?: FormatName; readonly partial?: boolean; readonly password?: string };

/** Reads a file and plans to bring it into a catalog. */
export async function planOf(octets: Uint8Array, entries: readonly Entry[] = [], how: How = {}): Promise<Plan> {
  const { format, partial = false, password = vectorPassword } = how;
  const file = await readPasswords({ octets, partial, password: async () => new TextEncoder().encode(password), keys: quickKeys, ...(format === undefined ? {} : { format }) });
  return file.plan(entries);
}

/** A catalog with what a plan changes, written by one device. */
export function applied(plan: Plan, entries: readonly Entry[] = [], author = "DEVICE"): readonly Entry[] {
  const all = new Map(entries.map((entry) => [entry.id as string, entry]));
  for (const change of plan.changes) all.set(change.entry, merge(all.get(change.entry), change, author));
  return [...all.values()];
}

/** What a catalog is written as. */
export async function written(entries: readonly Entry[], format: WrittenFormat): Promise<string> {
  return new TextDecoder().decode((await writePasswords(entries, { format, now: Date.parse("2026-01-01T00:00:00Z") })).octets);
}

/** The code with which a work is refused, or "done". */
export async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    if (error instanceof MeshError) return error.code;
    throw error;
  }
}
