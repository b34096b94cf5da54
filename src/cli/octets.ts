import { closeSync, fstatSync, openSync, readSync } from "node:fs";

import type { Code } from "../refusals/codes.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";

const STEP = 1024 * 1024;

/** How a file that is read is called in a sentence; `-` is standard input. */
export function fileName(path: string): string {
  return path === "-" ? "Standard input" : `The file ${path}`;
}

/**
 * Reads a file as octets; pipes, devices (`/dev/fd/3`) and standard input (`-`) too, so the size is known only by reading.
 * @throws MeshError `input-unreadable`; `tooLarge` for more than `most` octets
 */
export function readOctets(path: string, most: number, tooLarge: Code): Uint8Array {
  const what = fileName(path);
  let file: number | undefined;
  try {
    file = path === "-" ? 0 : openSync(path, "r");
    let octets = Buffer.alloc(Math.min(most + 1, Math.max(STEP, fstatSync(file).size + 1)));
    let length = 0;
    for (let more = 1; more > 0 && length <= most; length += more) {
      if (length === octets.length) octets = Buffer.concat([octets, Buffer.alloc(Math.min(octets.length, most + 1 - length))]);
      more = readSome(file, octets, length);
    }
    if (length > most) octets.fill(0);
    demand(length <= most, tooLarge, `${what} is larger than ${most < STEP ? `${most / 1024} KiB` : `${most / STEP} MiB`}.`);
    return octets.subarray(0, length);
  } catch (error) {
    if (error instanceof MeshError) throw error;
    throw new MeshError("input-unreadable", `${what} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  } finally {
    if (file !== undefined && file !== 0) closeSync(file);
  }
}

function readSome(file: number, into: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(file, into, at, into.length - at, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
