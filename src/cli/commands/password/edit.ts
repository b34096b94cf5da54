import { editPassword, type Edits } from "../../../applications/passwords/edit.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { strengthOf } from "./make.ts";
import { editPasswords } from "./send.ts";
import { editsFrom } from "./values.ts";

/** `mesh password edit`: { id, name, changed, sync }; `changed` names the fields that were written. */
export async function run(call: Call): Promise<void> {
  const { args } = call;
  const rename = args.text("name");
  const { edits: said, made } = await editsFrom(call);
  const edits: Edits = {
    ...said,
    removeSites: args.texts("remove-site"),
    removeTags: args.texts("remove-tag"),
    removeFields: args.texts("unset"),
    ...(rename === undefined ? {} : { name: rename }),
  };
  const any = Object.values(edits).some((value) => typeof value === "string" || value.length > 0);
  demand(any, "usage-missing-argument", "Nothing was said to change.", "See: mesh password edit --help");
  const name = args.needText("NAME");
  await editPasswords(call, rename === undefined ? [name] : [name, rename], (entries) => {
    const entry = findPassword(entries, name);
    const change = editPassword(entries, entry, edits);
    const before = passwordOf(entry).name;
    const changed = [...new Set(Object.keys(change?.fields ?? {}).map((field) => field.split(":")[0] ?? field))];
    const sentence = change === undefined ? `${JSON.stringify(before)} was so already.` : `Changed ${JSON.stringify(before)}: ${changed.join(", ")}${made === undefined ? "" : ` (${strengthOf(made)})`}.`;
    return { changes: change === undefined ? [] : [change], done: { document: { id: entry.id, name: rename?.trim().normalize("NFC") ?? before, changed }, sentence } };
  });
}
