import { addAttachment } from "../../../applications/passwords/attach.ts";
import { attachmentsOf } from "../../../applications/passwords/attachment.ts";
import type { Failure } from "../../../applications/passwords/formats/item.ts";
import type { Plan } from "../../../applications/passwords/formats/plan.ts";
import { limits } from "../../../applications/passwords/limits.ts";
import type { Change } from "../../../catalogs/entries.ts";
import { type Entry, merge } from "../../../catalogs/merge.ts";
import { readEntries } from "../../../client/catalog.ts";
import type { Client } from "../../../client/client.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { keepOctets, type Kept } from "../../attachment.ts";

/** The files within the items of an import: kept before anything names them, then attached in the edit that makes their entries. */
export class ImportedFiles {
  readonly #client: Client;
  /** By their octets: a plan may be made again, and then names its files anew. */
  readonly #kept = new Map<Uint8Array, Kept>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Keeps the octets of all files that the plan would attach, as far as each is not too large. */
  async keep(plan: (entries: readonly Entry[]) => Plan): Promise<void> {
    for (const { file } of plan(await readEntries(this.#client, "passwords")).files) {
      if (file.octets.length > limits.attachment || this.#kept.has(file.octets)) continue;
      let at = 0;
      const fill = (into: Uint8Array): void => {
        into.set(file.octets.subarray(at, at + into.length));
        at += into.length;
      };
      this.#kept.set(file.octets, await keepOctets(this.#client, file.octets.length, fill));
    }
  }

  /** The plan with what attaches its files; those that cannot be are named. */
  attach(plan: Plan): Plan {
    const changes: Change[] = [...plan.changes];
    const failed: Failure[] = [...plan.failed];
    const grown = new Map<string, Entry>();
    for (const { file, made, title } of plan.files) {
      const kept = this.#kept.get(file.octets);
      const entry = grown.get(made.entry) ?? merge(undefined, made, "");
      try {
        if (kept === undefined) throw new MeshError("attachment-too-large", `It has ${file.octets.length} octets; an attachment has at most ${limits.attachment / 1024 / 1024} MiB.`);
        const change = addAttachment(entry, { ...kept, name: freeName(entry, file.name), type: undefined });
        grown.set(made.entry, merge(entry, change, ""));
        changes.push(change);
      } catch (error) {
        if (!(error instanceof MeshError)) throw error;
        failed.push({ title, why: error.message });
      }
    }
    return { ...plan, changes, failed };
  }
}

/** A name that no attachment of the entry has. */
function freeName(entry: Entry, name: string): string {
  const taken = new Set(attachmentsOf(entry).map((one) => one.name));
  const plain = name.trim().normalize("NFC");
  for (let count = 1; ; count++) {
    const free = count === 1 ? plain : `${plain} (${count})`;
    if (!taken.has(free)) return free;
  }
}
