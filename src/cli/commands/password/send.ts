import { editEntries, editNamed } from "../../../client/catalog.ts";
import type { Change } from "../../../catalogs/entries.ts";
import type { Entry } from "../../../catalogs/merge.ts";
import type { Client } from "../../../client/client.ts";
import { isSent } from "../../../client/keyless.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { keylessText } from "../../keyless-text.ts";
import { openClient } from "../../open-client.ts";

/** What was done, as the receipt tells it. */
export type Done = { readonly document: Readonly<Record<string, unknown>>; readonly sentence: string };

/**
 * Edits the passwords, tries to send the edit, and gives the receipt: `sync` in it is "sent", "later" (offline, or while this device lacks the key) or "failed".
 *
 * The edit is durable before anything is sent. An offline portal is no failure except with --strict; any other refusal is
 * thrown after the receipt, since the edit stands all the same. `work` sees the entries of these names, or all, and may run more than once; its last result counts.
 */
export async function editPasswords(call: Call, names: readonly string[] | "all", work: (entries: readonly Entry[]) => { readonly changes: readonly Change[]; readonly done: Done }): Promise<void> {
  const client = await openClient(call, "online");
  let done: Done | undefined;
  const run = (entries: readonly Entry[]): readonly Change[] => {
    const result = work(entries);
    done = result.done;
    return result.changes;
  };
  await (names === "all" ? editEntries(client, "passwords", run) : editNamed(client, "passwords", names, run));
  if (done === undefined) throw new TypeError("An edit ran without its work.");
  const { keyless, trouble } = await trySync(client);
  const offline = trouble instanceof MeshError && trouble.exit === 7;
  const sync = trouble === undefined ? (keyless === 0 ? "sent" : "later") : offline ? "later" : "failed";
  call.output.receipt({ ...done.document, sync }, done.sentence);
  if (offline && !call.args.flag("strict")) call.output.note("The portal cannot be reached now; your other devices get this with the next sync.");
  else if (trouble !== undefined) throw trouble;
  else if (keyless > 0) call.output.note(keylessText(keyless));
}

/** Sends the edit; what stood in the way, or of how many catalogs this device was not given the key, if that is why the edit is here still. */
async function trySync(client: Client): Promise<{ readonly keyless: number; readonly trouble?: unknown }> {
  try {
    const { sync } = await import("../../../client/sync.ts");
    const { keyless } = await sync(client);
    return { keyless: keyless === 0 || (await isSent(client, "passwords")) ? 0 : keyless };
  } catch (trouble) {
    return { keyless: 0, trouble };
  }
}
