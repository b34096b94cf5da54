import { toBase64url } from "../../bytes/base64url.ts";
import type { Json } from "../../bytes/canonical-json.ts";
import { type Change, changesBytes } from "../../catalogs/entries.ts";
import { change, type Entry } from "../../catalogs/merge.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { type Attachment, attachmentsOf } from "./attachment.ts";
import { checkLabel, limits } from "./limits.ts";
import { newMemberField } from "./members.ts";

/**
 * Makes the change that adds an attachment, whose chunks are kept already.
 * @throws MeshError `attachment-name-taken`; `password-malformed` for a name or for too many
 */
export function addAttachment(entry: Entry, made: Omit<Attachment, "field">): Change {
  checkAttachable(entry, made.name);
  const value: Json = { blobs: [...made.blobs], key: toBase64url(made.key), name: attachmentName(made.name), size: made.size, ...(made.type === undefined ? {} : { type: made.type }) };
  const added = change(entry.id, entry, { [newMemberField(entry, "attachment", 0)]: value });
  demand(changesBytes([added]).length <= limits.change, "password-malformed", "This attachment is larger than a login can hold.");
  return added;
}

/** Refuses a name that an attachment of this login has, and more attachments than it may have; before anything is read. */
export function checkAttachable(entry: Entry, name: string): void {
  const there = attachmentsOf(entry);
  demand(there.length < limits.attachments, "password-malformed", `A login has at most ${limits.attachments} attachments.`);
  demand(!there.some((one) => one.name === attachmentName(name)), "attachment-name-taken", `This login has an attachment ${JSON.stringify(name)} already.`, "Say another name with --as, or detach that one.");
}

/** The change that takes an attachment away; the history still has it. */
export function removeAttachment(entry: Entry, attachment: Attachment): Change {
  return change(entry.id, entry, { [attachment.field]: null });
}

function attachmentName(name: string): string {
  return checkLabel(name, limits.name, "The name of the attachment");
}
