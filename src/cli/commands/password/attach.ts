import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";

import { addAttachment, checkAttachable } from "../../../applications/passwords/attach.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { limits } from "../../../applications/passwords/limits.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import { readNamed } from "../../../client/catalog.ts";
import type { Client } from "../../../client/client.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import { keepOctets, type Kept } from "../../attachment.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { editPasswords } from "./send.ts";

/** `mesh password attach`: { id, name, attachment, size, sync }. Without a network it is kept here and sent later. */
export async function run(call: Call): Promise<void> {
  const { args } = call;
  const name = args.needText("NAME");
  const path = args.needText("FILE");
  const attachment = args.text("as") ?? basename(path);
  const client = await openClient(call, "offline");
  checkAttachable(findPassword(await readNamed(client, "passwords", [name]), name), attachment);
  const kept = await keep(client, path);
  await editPasswords(call, [name], (entries) => {
    const entry = findPassword(entries, name);
    const change = addAttachment(entry, { ...kept, name: attachment, type: undefined });
    const own = passwordOf(entry).name;
    return { changes: [change], done: { document: { id: entry.id, name: own, attachment, size: kept.size }, sentence: `Attached ${JSON.stringify(attachment)} to ${JSON.stringify(own)}: ${kept.size} octets.` } };
  });
}

/** Reads a file chunk by chunk; never more than one is in memory. */
async function keep(client: Client, path: string): Promise<Kept> {
  const file = openFile(path);
  try {
    const kept = await keepOctets(client, checkFile(file, path).size, (into) => void fill(file, into, path));
    demand(fill(file, new Uint8Array(1), path, "end") === 0, "input-unreadable", `The file ${path} grew while it was read.`, "Run it again.");
    return kept;
  } finally {
    closeSync(file);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new MeshError("input-unreadable", `The file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
}

function checkFile(file: number, path: string): { readonly size: number } {
  const stat = fstatSync(file);
  demand(stat.isFile(), "attachment-too-large", `${path} is no plain file.`);
  demand(stat.size <= limits.attachment, "attachment-too-large", `${path} has ${stat.size} octets; an attachment has at most ${limits.attachment / 1024 / 1024} MiB.`);
  return stat;
}

/** Reads until the octets are full, or to the end where that may come; a file that ends early was changed meanwhile. */
function fill(file: number, octets: Uint8Array, path: string, mayEnd?: "end"): number {
  let at = 0;
  try {
    for (let more = 1; more > 0 && at < octets.length; at += more) more = readSync(file, octets, at, octets.length - at, null);
  } catch (error) {
    throw new MeshError("input-unreadable", `The file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
  demand(at === octets.length || mayEnd !== undefined, "input-unreadable", `The file ${path} became shorter while it was read.`, "Run it again.");
  return at;
}
