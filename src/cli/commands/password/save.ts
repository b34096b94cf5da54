import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { resolve } from "node:path";

import { type Attachment, findAttachment } from "../../../applications/passwords/attachment.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { readNamed } from "../../../client/catalog.ts";
import { readBlobs } from "../../../client/read-blobs.ts";
import type { Client } from "../../../client/client.ts";
import { chunksOf, openChunk, sealedLength } from "../../../envelope/chunks.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";

/** `mesh password save`: { name, size, out }. The file is there whole or not at all, and for its owner alone to read. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const name = args.needText("NAME");
  const out = resolve(args.needText("out"));
  demand(!existsSync(out), "output-failed", `There is a file ${out} already.`, "Say another name, or move that one away.");
  const client = await openClient(call, "online");
  const entry = findPassword(await readNamed(client, "passwords", [name]), name);
  const attachment = findAttachment(entry, args.needText("ATTACHMENT"));
  await write(client, entry.id, attachment, out);
  output.receipt({ name: attachment.name, size: attachment.size, out }, `Saved ${JSON.stringify(attachment.name)} as ${out}.`);
}

/** Writes chunk by chunk beside the file, and gives it its name when all is there and durable. */
async function write(client: Client, entry: string, { blobs, key, size }: Attachment, out: string): Promise<void> {
  const chunks = chunksOf(size);
  const wanted = blobs.map((digest, index) => ({ digest, size: sealedLength(chunks[index] ?? 0) }));
  const part = `${out}.${process.pid}.part`;
  const file = onDisk(out, () => openSync(part, "wx", 0o600));
  try {
    let index = 0;
    let left = size;
    for await (const sealed of readBlobs(client, "passwords", entry, wanted)) {
      const chunk = openChunk(key, index++, chunks.length, sealed);
      // The digest is the one that the entry names: whoever attached it made it so.
      demand(chunk !== undefined, "attachment-damaged", "This attachment does not open under its key: the device that attached it made a mistake, or it was meant to fail.");
      const octets = chunk.subarray(0, Math.min(left, chunk.length));
      left -= octets.length;
      onDisk(out, () => writeAll(file, octets));
      chunk.fill(0);
    }
    onDisk(out, () => fsyncSync(file));
    onDisk(out, () => renameSync(part, out));
  } finally {
    closeSync(file);
    rmSync(part, { force: true });
  }
}

function writeAll(file: number, octets: Uint8Array): void {
  for (let at = 0; at < octets.length; ) at += writeSync(file, octets, at);
}

function onDisk<T>(out: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new MeshError("output-failed", `${out} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
}
