import { acceptConnection } from "../../../client/operations/accept.ts";
import { pendingLines } from "../../../client/operations/requests.ts";
import { pull, sync } from "../../../client/sync.ts";
import type { Client } from "../../../client/client.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";

/** `mesh device accept`: lets in the device that shows these six words, and says the three to type on it. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const role = args.text("role") ?? "member";
  demand(role === "admin" || role === "member", "usage-option-value", "--role is admin or member.");
  const client = await openClient(call, "online");
  const accepted = await acceptConnection(client, args.text("WORDS") ?? (await pick(call, client)), role);
  await withServers(call, client);
  output.data(accepted, `${accepted.name} is one of your devices now. Type on it:\n\n    ${accepted.answer}\n`);
}

/** Gives it what it needs to get into servers; whatever becomes of that, it is let in, and the next sync here does it. */
async function withServers({ output }: Call, client: Client): Promise<void> {
  if ((await client.rows.read((rows) => rows.get("types", "ssh"))) === undefined) return;
  try {
    // Its key is in the version that let it in: what was sent comes back first.
    await sync(client);
    await (await import("../../ssh/certificates.ts")).tendAndSend(client);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    output.note(`It has no certificate for your managed servers yet, and gets one by the next mesh sync here: ${error.message}`);
  }
}

/** With no words given: shows what waits, and has the words typed from the other screen, so that the person looked at it. */
async function pick({ input, output }: Call, client: Client): Promise<string> {
  const synced = await pull(client);
  const lines = await pendingLines(client, synced);
  synced.link.close();
  if (lines.length === 0) throw new MeshError("connection-not-found", "No device asks to join.", "Run `mesh join` on the new device first.");
  output.note(`Asking to join: ${lines.map((line) => line.name).join(", ")}.`);
  return input.ask("The six words that the new device shows", "no-input");
}
