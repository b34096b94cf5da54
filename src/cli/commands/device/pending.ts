import { pendingLines } from "../../../client/operations/requests.ts";
import { pull } from "../../../client/sync.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";

/** `mesh device pending`: the devices that ask to join, with the words that each of them shows. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "online");
  const synced = await pull(client);
  call.whenDone(() => synced.link.close());
  const lines = await pendingLines(client, synced);
  const document = lines.map(({ witness, words, name, requested }) => ({ witness, words, name, requested: new Date(requested).toISOString() }));
  call.output.data(document, lines.length === 0 ? "No device asks to join." : call.output.table(["WORDS", "DEVICE", "ASKED"], document.map((line) => [line.words, line.name, line.requested.slice(0, 16).replace("T", " ")])));
}
