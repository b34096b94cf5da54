import { version } from "./version.ts";

/** What the entry of the bundle says of itself (scripts/entry.cjs): which build it is, by a name that no other has, and the file that starts it. */
export type Bundle = { readonly build: string; readonly entry: string };

/** The bundle that runs; undefined where the sources run as they are. */
export function bundle(): Bundle | undefined {
  return (globalThis as { readonly [name: symbol]: Bundle | undefined })[Symbol.for("mesh.bundle")];
}

/** Which build this is; an agent serves the commands of its own build only. */
export function buildName(): string {
  return bundle()?.build ?? `sources of ${version}`;
}
