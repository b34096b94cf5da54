import { version } from "./version.ts";

/** What the entry of the bundle says of itself (scripts/entry.cjs): which build it is, by a name that no other has, the file that starts it, and whether the sources are still those that it was made of. */
export type Bundle = { readonly build: string; readonly entry: string; readonly isFresh: () => boolean };

/** The bundle that runs; undefined where the sources run as they are. */
export function bundle(): Bundle | undefined {
  return (globalThis as { readonly [name: symbol]: Bundle | undefined })[Symbol.for("mesh.bundle")];
}

/** Which build this is; an agent serves the commands of its own build only. */
export function buildName(): string {
  return bundle()?.build ?? `sources of ${version}`;
}
