import type { Attachment } from "../applications/passwords/attachment.ts";
import { stageBlob } from "../client/blobs.ts";
import type { Client } from "../client/client.ts";
import { randomBytes } from "../crypto/random.ts";
import { chunksOf, openChunk, sealChunk, sealedLength } from "../envelope/chunks.ts";
import type { Digest } from "../envelope/fields.ts";
import { demand } from "../refusals/mesh-error.ts";

/** What an entry must hold of octets that are kept. */
export type Kept = Pick<Attachment, "size" | "key" | "blobs">;

/** Seals octets chunk by chunk and keeps each at home until the portal has it; `fill` fills what it is given with the next octets. */
export async function keepOctets(client: Client, size: number, fill: (into: Uint8Array) => void): Promise<Kept> {
  const key = randomBytes(32);
  const chunks = chunksOf(size);
  const blobs: Digest[] = [];
  let left = size;
  for (const [index, length] of chunks.entries()) {
    const chunk = new Uint8Array(length);
    const held = chunk.subarray(0, Math.min(left, length));
    fill(held);
    left -= held.length;
    blobs.push(await stageBlob(client, "passwords", sealChunk(key, index, chunks.length, chunk)));
    chunk.fill(0);
  }
  return { size, key, blobs };
}

/** The octets of an attachment of an entry, chunk by chunk, each checked before it is given; what is given may be wiped. */
export async function* octetsOf(client: Client, entry: string, { blobs, key, size }: Kept): AsyncGenerator<Uint8Array> {
  const { readBlobs } = await import("../client/read-blobs.ts");
  const chunks = chunksOf(size);
  let [index, left] = [0, size];
  for await (const sealed of readBlobs(client, "passwords", entry, blobs.map((digest, at) => ({ digest, size: sealedLength(chunks[at] ?? 0) })))) {
    const chunk = openChunk(key, index++, chunks.length, sealed);
    // The digest is the one that the entry names: whoever attached it made it so.
    demand(chunk !== undefined, "attachment-damaged", "This attachment does not open under its key: the device that attached it made a mistake, or it was meant to fail.");
    const octets = chunk.subarray(0, Math.min(left, chunk.length));
    left -= octets.length;
    yield octets;
  }
}
