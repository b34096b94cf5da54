import { addPassword } from "../../../applications/passwords/edit.ts";
import type { Call } from "../../call.ts";
import { strengthOf } from "./make.ts";
import { editPasswords } from "./send.ts";
import { editsFrom } from "./values.ts";

/** `mesh password add`: { id, name, generated, bits, sync }. */
export async function run(call: Call): Promise<void> {
  const name = call.args.needText("NAME").trim().normalize("NFC");
  const { edits, made } = await editsFrom(call);
  const password = edits.password ?? (await call.input.secret("password-file", `Password for ${name}`));
  await editPasswords(call, [name], (entries) => {
    const change = addPassword(entries, { ...edits, name, password });
    const sentence = made === undefined ? `Saved ${JSON.stringify(name)}.` : `Saved ${JSON.stringify(name)} with a new password of ${password.length} characters, ${strengthOf(made)}.`;
    return { changes: [change], done: { document: { id: change.entry, name, generated: made !== undefined, bits: made?.bits ?? null }, sentence } };
  });
}
