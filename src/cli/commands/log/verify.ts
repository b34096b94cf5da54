import { followLog } from "../../../client/follow-log.ts";
import { endedLog, knownHead } from "../../../client/log-proofs.ts";
import { pull } from "../../../client/sync.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { endedText, headText } from "./told.ts";

/** `mesh log verify`: takes what is new, and holds the portal's log to it. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "online");
  const synced = await pull(client);
  call.whenDone(() => synced.link.close());
  const opened = await followLog(client, synced, true);
  const [head, ended] = [await knownHead(client), await endedLog(client)];
  if (ended !== undefined) call.output.note(endedText(ended));
  call.output.data(head === undefined ? null : { ...head, opened }, head === undefined ? "This portal has no log." : `${headText(head)}\nIt goes on from what was known, and has what you have.${opened === 0 ? "" : `\nWhat it hides from everybody else about your mesh it opened: since you looked last ${opened}, as you know it.`}`);
}
