import { restorePassword } from "../../../applications/passwords/edit.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import type { Call } from "../../call.ts";
import { editPasswords } from "./send.ts";

/** `mesh password restore`: { id, name, sync }. */
export async function run(call: Call): Promise<void> {
  const name = call.args.needText("NAME");
  await editPasswords(call, [name], (entries) => {
    const entry = findPassword(entries, name, true);
    const password = passwordOf(entry);
    return { changes: [restorePassword(entries, entry)], done: { document: { id: entry.id, name: password.name }, sentence: `Restored ${JSON.stringify(password.name)}.` } };
  });
}
