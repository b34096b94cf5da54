import { version } from "./version.ts";

/** What the entry of the bundle says of itself (scripts/entry.cjs). */
export type Bundle = {
  /** Which build it is, by a name that no other has. */
  readonly build: string;
  /** The file that starts it. */
  readonly entry: string;
  /** Whether the sources are still those that it was made of. */
  readonly isFresh: () => boolean;
  /** The folder of the checkout, and what of it the bundle was made of; undefined in a published package. */
  readonly sources: () => { readonly root: string; readonly paths: readonly string[] } | undefined;
};

/** The bundle that runs; undefined where the sources run as they are. */
export function bundle(): Bundle | undefined {
  return (globalThis as { readonly [name: symbol]: Bundle | undefined })[Symbol.for("mesh.bundle")];
}

/** Which build this is; an agent serves the commands of its own build only. */
export function buildName(): string {
  return bundle()?.build ?? `sources of ${version}`;
}
