import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Reads a file of `vectors/`; for tests only. */
export function readVectors<T>(path: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../../vectors", path), "utf8")) as T;
}

/** Octets of base64 as other projects write it, with padding. */
export function base64(text: string): Uint8Array {
  return Uint8Array.fromBase64(text);
}
