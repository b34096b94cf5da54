import { knownHead } from "../../../client/log-proofs.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { headText } from "./told.ts";

/** `mesh log head`: { origin, size, root, time, checkpoint }, or null where this device has followed no log yet. */
export async function run(call: Call): Promise<void> {
  const head = await knownHead(await openClient(call, "offline"));
  call.output.data(head ?? null, head === undefined ? "This device has seen no log of its portal yet." : headText(head));
}
