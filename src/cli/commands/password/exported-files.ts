import { attachmentsOf } from "../../../applications/passwords/attachment.ts";
import type { Failure } from "../../../applications/passwords/formats/item.ts";
import { type Attached, attachedAt } from "../../../applications/passwords/formats/mesh-file.ts";
import { isFolder, passwordOf } from "../../../applications/passwords/password.ts";
import { concatBytes } from "../../../bytes/equal.ts";
import { type Entry, isRemoved } from "../../../catalogs/merge.ts";
import type { Client } from "../../../client/client.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { octetsOf } from "../../attachment.ts";

/** So many octets of attachments go into one file; in base64 they must be readable again. */
const MOST = 128 * 1024 * 1024;

/** The octets of the attachments of what is not removed; those that cannot be had now are named. */
export async function attachedTo(client: Client, entries: readonly Entry[]): Promise<{ readonly attached: Attached; readonly missing: readonly Failure[] }> {
  const attached = new Map<string, Uint8Array>();
  const missing: Failure[] = [];
  let room = MOST;
  for (const entry of entries.filter((one) => !isRemoved(one) && !isFolder(one))) {
    for (const one of attachmentsOf(entry)) {
      const title = `${passwordOf(entry).name}: ${one.name}`;
      if (one.size > room) {
        missing.push({ title, why: `All attachments together are larger than ${MOST / 1024 / 1024} MiB.` });
        continue;
      }
      try {
        const parts: Uint8Array[] = [];
        for await (const part of octetsOf(client, entry.id, one)) parts.push(part.slice());
        attached.set(attachedAt(entry.id, one.field), concatBytes(...parts));
        room -= one.size;
      } catch (error) {
        if (!(error instanceof MeshError) || error.code.startsWith("portal-")) throw error;
        missing.push({ title, why: error.message });
      }
    }
  }
  return { attached, missing };
}
