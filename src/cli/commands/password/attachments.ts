import { attachmentsOf } from "../../../applications/passwords/attachment.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { readNamed } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";

/** `mesh password attachments`: [ { name, size, type } ], size in octets. Works offline. */
export async function run(call: Call): Promise<void> {
  const name = call.args.needText("NAME");
  const all = attachmentsOf(findPassword(await readNamed(await openClient(call, "offline"), "passwords", [name]), name));
  if (all.length === 0) call.output.note("It has no attachments.");
  const documents = all.map((one) => ({ name: one.name, size: one.size, type: one.type ?? null }));
  call.output.data(documents, all.length === 0 ? "" : call.output.table(["NAME", "OCTETS"], all.map((one) => [one.name, String(one.size)])));
}
