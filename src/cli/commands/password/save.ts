import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { resolve } from "node:path";

import { type Attachment, findAttachment } from "../../../applications/passwords/attachment.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { readNamed } from "../../../client/catalog.ts";
import type { Client } from "../../../client/client.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import { octetsOf } from "../../attachment.ts";
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
async function write(client: Client, entry: string, attachment: Attachment, out: string): Promise<void> {
  const part = `${out}.${process.pid}.part`;
  const file = onDisk(out, () => openSync(part, "wx", 0o600));
  try {
    for await (const octets of octetsOf(client, entry, attachment)) {
      onDisk(out, () => writeAll(file, octets));
      octets.fill(0);
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
