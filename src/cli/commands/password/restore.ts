import { restorePassword } from "../../../applications/passwords/edit.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import type { Call } from "../../call.ts";
import { editPasswords } from "./send.ts";

/** `mesh password restore`: { id, name, sync }. */
export async function run(call: Call): Promise<void> {
  await editPasswords(call, (entries) => {
    const entry = findPassword(entries, call.args.needText("NAME"), true);
    const { name } = passwordOf(entry);
    return { changes: [restorePassword(entries, entry)], done: { document: { id: entry.id, name }, sentence: `Restored ${JSON.stringify(name)}.` } };
  });
}
