import { utf8 } from "../../../bytes/text.ts";
import { type Entry, isRemoved } from "../../../catalogs/merge.ts";
import { isFolder } from "../password.ts";
import type { formats } from "./formats.ts";
import { attachmentsOf } from "../attachment.ts";
import { type Failure, folderOf, type Item, type ItemFile, itemOf } from "./item.ts";
import { type Attached, attachedAt, type FileKeyOptions } from "./mesh-file.ts";

/** The formats that are written. */
export type WrittenFormat = Extract<(typeof formats)[number], { writes: true }>["name"];

/** What to write. `now` is milliseconds since 1970, for programs that want a time where nobody knows one; a password only for `mesh`. */
export type Writing = { readonly format: WrittenFormat; readonly now: number; readonly attached?: Attached; readonly password?: Uint8Array; readonly keys?: FileKeyOptions };

/** Whether files of a format hold attachments. */
export function holdsAttachments(format: WrittenFormat): boolean {
  return format === "mesh" || format === "keepassxc-xml";
}

/** A file, how many items it holds, and what it has no place for. */
export type WrittenFile = { readonly octets: Uint8Array; readonly exported: number; readonly failed: readonly Failure[] };

/** Writes the passwords that are not removed in a format; in our own, everything. */
export async function writePasswords(entries: readonly Entry[], { format, now, attached = new Map(), password, keys }: Writing): Promise<WrittenFile> {
  const present = entries.filter((entry) => !isRemoved(entry) && !isFolder(entry));
  if (format === "mesh") {
    const { writeMeshFile } = await import("./mesh-file.ts");
    return { octets: utf8(await writeMeshFile(entries, attached, password, keys)), exported: present.length, failed: [] };
  }
  const filesOf = (entry: Entry): readonly ItemFile[] =>
    attachmentsOf(entry).flatMap(({ field, name }) => {
      const octets = attached.get(attachedAt(entry.id, field));
      return octets === undefined ? [] : [{ name, octets }];
    });
  const left = holdsAttachments(format) ? [] : present.filter((entry) => attachmentsOf(entry).length > 0).map((entry) => ({ title: itemOf(entry).name ?? "", why: "Exported but for its attachments, which have no place in this format." }));
  const items = present.map((entry): Item => ({ ...itemOf(entry), files: filesOf(entry) })).sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
  const folders = entries.filter((entry) => !isRemoved(entry)).flatMap((entry) => folderOf(entry) ?? []);
  const time = new Date(now).toISOString();
  switch (format) {
    case "bitwarden": {
      const { writeBitwarden } = await import("./bitwarden-write.ts");
      return { octets: utf8(writeBitwarden(items, folders, time)), exported: items.length, failed: left };
    }
    case "keepassxc-xml": {
      const { writeKeepass } = await import("./keepass-write.ts");
      const { text, failed } = writeKeepass(items, folders, time);
      return { octets: utf8(text), exported: items.length, failed };
    }
    default: {
      const { writeCsvFormat } = await import("./csv-formats.ts");
      const { text, failed } = writeCsvFormat(format, items);
      return { octets: utf8(text), exported: items.length - failed.length, failed: [...failed, ...left] };
    }
  }
}
