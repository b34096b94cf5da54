import { addPassword } from "../../../applications/passwords/edit.ts";
import type { Call } from "../../call.ts";
import { editPasswords } from "./send.ts";
import { editsFrom } from "./values.ts";

/** `mesh password add`: { id, name, generated, sync }. */
export async function run(call: Call): Promise<void> {
  const name = call.args.needText("NAME").trim().normalize("NFC");
  const said = await editsFrom(call);
  const password = said.password ?? (await call.input.secret("password-file", `Password for ${name}`));
  const generated = call.args.flag("generate");
  await editPasswords(call, [name], (entries) => {
    const change = addPassword(entries, { ...said, name, password });
    const sentence = generated ? `Saved ${JSON.stringify(name)} with a new password of ${password.length} characters.` : `Saved ${JSON.stringify(name)}.`;
    return { changes: [change], done: { document: { id: change.entry, name, generated }, sentence } };
  });
}
