import { followLog } from "../../../client/follow-log.ts";
import { knownHead } from "../../../client/log-proofs.ts";
import { pull } from "../../../client/sync.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { headText } from "./told.ts";

/** `mesh log verify`: takes what is new, and holds the portal's log to it. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "online");
  const synced = await pull(client);
  call.whenDone(() => synced.link.close());
  await followLog(client, synced);
  const head = await knownHead(client);
  call.output.data(head ?? null, head === undefined ? "This portal has no log." : `${headText(head)}\nIt goes on from what was known, and has what you have.`);
}
