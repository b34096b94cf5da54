import { removePassword } from "../../../applications/passwords/edit.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import type { Call } from "../../call.ts";
import { editPasswords } from "./send.ts";

/** `mesh password remove`: { id, name, sync }. It asks nothing, because it can be undone. */
export async function run(call: Call): Promise<void> {
  const name = call.args.needText("NAME");
  await editPasswords(call, [name], (entries) => {
    const entry = findPassword(entries, name);
    const password = passwordOf(entry);
    const sentence = `Removed ${JSON.stringify(password.name)} from all your devices.\nTo bring it back: mesh password restore ${entry.id}`;
    return { changes: [removePassword(entry)], done: { document: { id: entry.id, name: password.name }, sentence } };
  });
}
