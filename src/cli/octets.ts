import { closeSync, fstatSync, openSync, readSync } from "node:fs";

import { demand, MeshError } from "../refusals/mesh-error.ts";

const STEP = 1024 * 1024;

/**
 * Reads a file as octets; pipes and standard input (`-`) too.
 * @throws MeshError `input-unreadable`; `import-too-large` for more than `most` octets
 */
export function readOctets(path: string, most: number): Uint8Array {
  const what = path === "-" ? "Standard input" : `The file ${path}`;
  let file: number | undefined;
  try {
    file = path === "-" ? 0 : openSync(path, "r");
    let octets = Buffer.alloc(Math.min(most + 1, Math.max(STEP, fstatSync(file).size + 1)));
    let length = 0;
    for (let more = 1; more > 0 && length <= most; length += more) {
      if (length === octets.length) octets = Buffer.concat([octets, Buffer.alloc(Math.min(octets.length, most + 1 - length))]);
      more = readSome(file, octets, length);
    }
    demand(length <= most, "import-too-large", `${what} is larger than ${most / STEP} MiB.`);
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
