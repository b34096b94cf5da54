import type { Client } from "../../src/client/client.ts";
import { removeSuspended } from "../../src/client/operations/disable.ts";
import { answerPins } from "../../src/client/operations/pin.ts";
import { pull, sync } from "../../src/client/sync.ts";

/** All that the command `mesh sync` does: takes and gives, lets in whoever proves to know a PIN, removes whoever is suspended for good. */
export async function syncAsCommand(client: Client): Promise<{ readonly admitted: readonly string[]; readonly removed: number }> {
  await sync(client);
  const synced = await pull(client);
  try {
    const admitted = await answerPins(client, synced);
    const current = synced.answer.pending === 0 ? synced : await pull(client);
    const removed = await removeSuspended(client, current);
    current.link.close();
    if (admitted.length + removed > 0) await sync(client);
    return { admitted, removed };
  } finally {
    synced.link.close();
  }
}
