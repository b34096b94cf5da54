import { removeAttachment } from "../../../applications/passwords/attach.ts";
import { findAttachment } from "../../../applications/passwords/attachment.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import type { Call } from "../../call.ts";
import { editPasswords } from "./send.ts";

/** `mesh password detach`: { id, name, attachment, sync }. It asks nothing, because it can be undone. */
export async function run(call: Call): Promise<void> {
  const name = call.args.needText("NAME");
  const wanted = call.args.needText("ATTACHMENT");
  await editPasswords(call, [name], (entries) => {
    const entry = findPassword(entries, name);
    const attachment = findAttachment(entry, wanted);
    const sentence = `Detached ${JSON.stringify(attachment.name)}.\nTo bring it back: mesh password restore ${entry.id} --field attachment. Its room at the portal is free after: mesh password purge ${entry.id}`;
    return { changes: [removeAttachment(entry, attachment)], done: { document: { id: entry.id, name: passwordOf(entry).name, attachment: attachment.name }, sentence } };
  });
}
