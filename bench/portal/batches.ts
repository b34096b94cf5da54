import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** Writes octet strings one after the other, each after its length. */
export function writeBatch(path: string, items: readonly Uint8Array[]): void {
  const file = openSync(path, "wx", 0o600);
  for (const octets of items) {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(octets.length);
    writeSync(file, Buffer.concat([head, octets]));
  }
  closeSync(file);
}

/** Reads what `writeBatch` wrote. */
export function readBatch(path: string): readonly Uint8Array[] {
  const octets = readFileSync(path);
  const items: Uint8Array[] = [];
  for (let at = 0; at < octets.length; ) {
    const length = octets.readUInt32LE(at);
    items.push(octets.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return items;
}
