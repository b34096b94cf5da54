import { canonicalJson, type Json } from "../../../bytes/canonical-json.ts";
import { type Change, changesBytes } from "../../../catalogs/entries.ts";
import { type EntryId, newEntryId } from "../../../catalogs/entry-id.ts";
import { change, current, type Entry, isRemoved } from "../../../catalogs/merge.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { attachmentOf } from "../attachment.ts";
import { limits } from "../limits.ts";
import { isFolder } from "../password.ts";
import { checkItem, type Failure, type Folder, folderOf, type Item, type ItemFile, itemOf, sameness, valuesOf } from "./item.ts";
import { maxHistory } from "./limits.ts";
import { attachedAt, type Filed, type FiledEntry, filedOf } from "./mesh-file.ts";
import { Names } from "./names.ts";

/** What a file of passwords was found to hold. */
export type Contents = {
  readonly items: readonly Item[];
  readonly folders: readonly Folder[];
  /** What of it could not be read. */
  readonly failed: readonly Failure[];
  /** Titles of the items with parts that are kept and not understood. */
  readonly kept: ReadonlySet<Item>;
};

/** What an import will do. */
export type Plan = {
  readonly changes: readonly Change[];
  readonly imported: number;
  /** Of those imported, how many have parts that are kept and not understood. */
  readonly kept: number;
  /** How many are there already, equal in all they hold. */
  readonly already: number;
  /** How many have another name here than in the file, since theirs was taken or is no name. */
  readonly renamed: number;
  readonly failed: readonly Failure[];
  /** The files of what is imported, each with the change that makes its entry. */
  readonly files: readonly PlannedFile[];
};

/** A file to be attached to an entry that an import makes. */
export type PlannedFile = { readonly made: Change; readonly title: string; readonly file: ItemFile };

/**
 * Plans to bring what a file holds into the catalog, beside what is there: nothing that is there is changed (spec 4).
 *
 * An item that is there already, or twice in the file, equal in all it holds, is not brought in again.
 */
export function planImport(entries: readonly Entry[], contents: Contents): Plan {
  const present = entries.filter((entry) => !isRemoved(entry) && !isFolder(entry));
  const names = new Names(present.map((entry) => String(current(entry, "name") ?? "")));
  const there = new Set(present.map((entry) => sameness(itemOf(entry))));
  const failed = [...contents.failed];
  const changes: Change[] = newFolders(entries, contents.folders, failed);
  const files: PlannedFile[] = [];
  const counts = { imported: 0, kept: 0, already: 0, renamed: 0 };
  for (const item of contents.items) {
    try {
      checkItem(item);
      const same = sameness(item);
      if (there.has(same)) {
        counts.already++;
        continue;
      }
      const name = names.give(item);
      const made = sized(change(newEntryId(), undefined, valuesOf(item, name)));
      changes.push(made);
      there.add(same);
      counts.imported++;
      if (contents.kept.has(item)) counts.kept++;
      if (name !== item.title) counts.renamed++;
      for (const file of item.files) files.push({ made, title: `${name}: ${file.name}`, file });
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      failed.push({ title: item.title, why: error.message });
    }
  }
  return { changes, ...counts, failed, files };
}

/**
 * Plans to bring the entries of a file of ours into the catalog, with all that they ever held (spec 6.5).
 *
 * Into a catalog without them they come equal, their identifiers too. One that is there already, under its identifier or
 * equal in all it holds now, is not brought in again; one that is there and differs comes in beside it.
 */
export function planRestore(entries: readonly Entry[], { entries: filed, attached }: Filed): Plan {
  const byId = new Map(entries.map((entry) => [entry.id as string, entry]));
  const present = entries.filter((entry) => !isRemoved(entry) && !isFolder(entry));
  const names = new Set(present.map((entry) => current(entry, "name")));
  const given = new Names(present.map((entry) => String(current(entry, "name") ?? "")));
  const there = new Set(present.map((entry) => sameness(itemOf(entry))));
  const folders = new Set(entries.filter((entry) => !isRemoved(entry)).flatMap((entry) => folderOf(entry)?.path ?? []));
  const changes: Change[] = [];
  const failed: Failure[] = [];
  const files: PlannedFile[] = [];
  const counts = { imported: 0, kept: 0, already: 0, renamed: 0 };
  for (const one of filed) {
    const before = byId.get(one.id);
    const id = before === undefined ? (one.id as EntryId) : newEntryId();
    const made = generations(id, one);
    if (made.length === 0) continue;
    const entry = entryOf(id, one);
    const [folder, item] = [folderOf(entry)?.path, itemOf(entry)];
    if (folder !== undefined && folders.has(folder)) continue;
    if (folder === undefined && ((before !== undefined && isSame(before, one)) || (!isRemoved(entry) && there.has(sameness(item))))) {
      counts.already++;
      continue;
    }
    if (made.length > maxHistory) {
      failed.push({ title: item.title, why: `A field of it had more than ${maxHistory} values.` });
      continue;
    }
    if (folder === undefined && !isRemoved(entry) && names.has(item.name)) {
      const name = given.give(item);
      made.push(change(id, entry, { name, renamed: { from: item.title, to: name } }));
      counts.renamed++;
    }
    if (!made.every(fits)) {
      failed.push({ title: item.title, why: `All that it holds together is larger than ${limits.change / 1024} KiB, or too deep.` });
      continue;
    }
    for (const next of made) changes.push(next);
    for (const [field, values] of Object.entries(one.fields).filter(([field]) => isAttachment(field))) {
      const attachment = attachmentOf(field, values[0] ?? null);
      const octets = attached.get(attachedAt(one.id, field));
      if (attachment === undefined) continue;
      const title = `${item.title}: ${attachment.name}`;
      if (isRemoved(entry)) continue;
      if (octets === undefined || made[0] === undefined) failed.push({ title, why: "The file does not hold this attachment; the rest was imported." });
      else files.push({ made: made[0], title, file: { name: attachment.name, octets } });
    }
    if (folder === undefined) counts.imported++;
  }
  return { changes, ...counts, failed, files };
}

/** The changes that write an entry's values again, the oldest of each field first. What an attachment names is at a portal, and only for the mesh that put it there. */
function generations(id: EntryId, { fields }: FiledEntry): Change[] {
  const made: { entry: string; fields: Record<string, [number, Json]> }[] = [];
  for (const [name, values] of Object.entries(fields).filter(([field]) => !isAttachment(field))) {
    for (const [index, value] of values.toReversed().entries()) (made[index] ??= { entry: id, fields: {} }).fields[name] = [index + 1, value];
  }
  return made;
}

/** The entry that those changes make, as merging them one by one would. */
function entryOf(id: EntryId, { fields }: FiledEntry): Entry {
  const written = Object.entries(fields).filter(([field]) => !isAttachment(field));
  return { id, fields: Object.fromEntries(written.map(([name, values]) => [name, values.map((value, index) => ({ author: "", counter: values.length - index, value }))])) };
}

function isAttachment(field: string): boolean {
  return field.startsWith("attachment:");
}

function isSame(entry: Entry, filed: FiledEntry): boolean {
  return toldOf(filedOf(entry)) === toldOf(filed);
}

/** All that an entry in a file tells; of attachments only what they are called and how large they are, since each mesh seals them anew. */
function toldOf({ fields }: FiledEntry): string {
  const attachments = Object.entries(fields).flatMap(([field, values]) => (isAttachment(field) ? (attachmentOf(field, values[0] ?? null) ?? []) : []));
  const others = Object.fromEntries(Object.entries(fields).filter(([field]) => !isAttachment(field)));
  return canonicalJson([others as Json, attachments.map(({ name, size }) => [name, size])]);
}

/** What programs keep about folders, where nothing of that program is kept yet. */
function newFolders(entries: readonly Entry[], folders: readonly Folder[], failed: Failure[]): Change[] {
  const there = new Map(entries.filter((entry) => !isRemoved(entry)).flatMap((entry): [string, Entry | undefined][] => {
    const path = folderOf(entry)?.path;
    return path === undefined ? [] : [[path, entry]];
  }));
  const changes: Change[] = [];
  for (const { path, kept } of folders) {
    const before = there.get(path);
    const fresh = Object.entries(kept).map(([program, what]): [string, Json] => [`kept.${program}`, what ?? null]).filter(([field]) => before === undefined || current(before, field) === undefined);
    // Of two folders of one name in one file the first counts.
    if (fresh.length === 0 || (there.has(path) && before === undefined)) continue;
    const made = before === undefined ? change(newEntryId(), undefined, { kind: "folder", folder: path, ...Object.fromEntries(fresh) }) : change(before.id, before, Object.fromEntries(fresh));
    there.set(path, undefined);
    if (fits(made)) changes.push(made);
    else failed.push({ title: path === "" ? "(the database itself)" : `the folder ${path}`, why: `What its program keeps about it is larger than ${limits.change / 1024} KiB, or too deep.` });
  }
  return changes;
}

function sized(made: Change): Change {
  if (!fits(made)) throw new MeshError("password-malformed", `All that it holds together is larger than ${limits.change / 1024} KiB, or too deep.`);
  return made;
}

function fits(made: Change): boolean {
  try {
    return changesBytes([made]).length <= limits.change;
  } catch (error) {
    if (error instanceof MeshError) return false;
    throw error;
  }
}
