import type { Json } from "../../bytes/canonical-json.ts";
import { type Entry, REMOVED, writes } from "../../catalogs/merge.ts";
import { detailNames, isSecretDetail } from "./kinds.ts";
import { customField } from "./password.ts";

/** One value that a login had or has. */
export type PastValue = {
  /** What people call it: `password`, `site`, a custom field's own name, or `removed`. */
  readonly field: string;
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

/** Everything that a login ever held, field by field, in each the latest first; it includes what lost against a simultaneous edit. */
export function historyOf(entry: Entry): readonly PastValue[] {
  const order = ["name", "kind", "username", "password", "past", "totp", "notes", "site", "folder", "tag", "field", ...detailNames];
  const rank = (field: string): number => (order.indexOf(field.split(":")[0] ?? "") + order.length + 1) % (order.length + 1);
  return Object.keys(entry.fields)
    .filter((field) => !isBookkeeping(field))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .flatMap((field) => writes(entry, field).map((write, index) => ({ ...named(entry, field, write.value), author: write.author, counter: write.counter, current: index === 0 })));
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
  const text = value === null ? undefined : typeof value === "string" ? value : JSON.stringify(value);
  return { field: kind, value: text === "" ? undefined : text, secret: !(open.has(kind) && typeof value !== "object") };
}
