import type { Json } from "../../bytes/canonical-json.ts";
import type { Change } from "../../catalogs/entries.ts";
import { change, type Entry, REMOVED, writes } from "../../catalogs/merge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { attachmentOf } from "./attachment.ts";
import { checkFree } from "./edit.ts";
import { detailNames, isSecretDetail } from "./kinds.ts";
import { customField } from "./password.ts";

/** One value that a login had or has. */
export type PastValue = {
  /** What people call it: `password`, `site`, a custom field's own name, or `removed`. */
  readonly field: string;
  /** Which of the values before, among those of that name: 1 is the latest; undefined for one that holds now. */
  readonly number: number | undefined;
  /** What was written; undefined where it was taken away. */
  readonly value: string | undefined;
  /** Whether it is shown only on demand. What is no text of a known field counts as a secret. */
  readonly secret: boolean;
  /** The UDF of the device that wrote it. */
  readonly author: string;
  /** How many writes of this field its author knew of, itself included: greater is later. */
  readonly counter: number;
  /** Whether it holds now. */
  readonly current: boolean;
};

/** A value with where it stands in the entry. */
type Placed = PastValue & { readonly place: string; readonly written: Json };

/** Everything that a login ever held and that was not purged, field by field, in each the latest first; it includes what lost against a simultaneous edit. */
export function historyOf(entry: Entry): readonly PastValue[] {
  return placedIn(entry).map(({ place: _, written: __, ...shown }) => shown);
}

/**
 * Makes the change that gives a field the value again that its history has under a number; undefined if it has it now.
 * @throws MeshError `password-field-not-found`; `password-name-taken`
 */
export function restoreValue(entries: readonly Entry[], entry: Entry, field: string, number: number): Change | undefined {
  const found = placedIn(entry).find((one) => one.field === field && one.number === number && one.place !== REMOVED);
  if (found === undefined) throw new MeshError("password-field-not-found", `The history has no ${field} of number ${number}.`, "See what it has: mesh password history NAME");
  if (found.place === "name") checkFree(entries, entry, String(found.written));
  const same = JSON.stringify(writes(entry, found.place)[0]?.value) === JSON.stringify(found.written);
  return same ? undefined : change(entry.id, entry, { [found.place]: found.written });
}

function placedIn(entry: Entry): readonly Placed[] {
  const order = ["name", "kind", "username", "password", "past", "totp", "notes", "site", "folder", "tag", "attachment", "field", ...detailNames];
  const rank = (field: string): number => (order.indexOf(field.split(":")[0] ?? "") + order.length + 1) % (order.length + 1);
  const numbers = new Map<string, number>();
  return Object.keys(entry.fields)
    .filter((field) => !isBookkeeping(field))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .flatMap((place) =>
      writes(entry, place).map((write, index) => {
        const shown = named(entry, place, write.value);
        const number = index === 0 ? undefined : (numbers.get(shown.field) ?? 0) + 1;
        if (number !== undefined) numbers.set(shown.field, number);
        return { ...shown, number, author: write.author, counter: write.counter, current: index === 0, place, written: write.value };
      }),
    );
}

const open = new Set<string>(["name", "kind", "username", "site", "folder", "tag", "favorite", "created", "modified", ...detailNames.filter((name) => !isSecretDetail(name))]);

/** What importers keep for other programs is written once, and means nothing to people. */
function isBookkeeping(field: string): boolean {
  return field.startsWith("kept.") || field === "renamed";
}

function named(entry: Entry, field: string, value: Json): Pick<PastValue, "field" | "value" | "secret"> {
  if (field === REMOVED) return { field, value: value === true ? "yes" : "no", secret: false };
  const kind = field.split(":")[0] ?? field;
  if (kind === "past" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const { password } = value as Readonly<Record<string, Json>>;
    return { field: "password before", value: typeof password === "string" ? password : undefined, secret: true };
  }
  if (kind === "field") {
    const held = customField(value);
    // A field that was taken away has no name any more: it keeps the one that it had.
    const name = held?.name ?? writes(entry, field).map((write) => customField(write.value)?.name).find((one) => one !== undefined);
    return { field: name ?? field, value: held?.value, secret: held?.secret ?? true };
  }
  const attachment = kind === "attachment" ? attachmentOf(field, value) : undefined;
  if (attachment !== undefined) return { field: kind, value: attachment.name, secret: false };
  const text = value === null ? undefined : typeof value === "string" ? value : JSON.stringify(value);
  return { field: kind, value: text === "" ? undefined : text, secret: !(open.has(kind) && typeof value !== "object") };
}
