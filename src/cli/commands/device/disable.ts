import type { Client } from "../../../client/client.ts";
import { type Consent, disableDevice, noConsent, type Receipt } from "../../../client/operations/disable.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { trySync } from "../../try-sync.ts";
import { receiptText } from "./receipt.ts";

/** `mesh device disable NAME`: cuts a device off, now; says what was done and what is left to do. Where this device would fall as well, it asks. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "online");
  const name = call.args.needText("NAME");
  await beforehand(client);
  const receipt = await afterwards(call, client, name, await disableDevice(client, name, consentFrom(call)));
  call.output.data(receipt, receiptText(receipt));
}

/** Keeps in mind which key it had for SSH, which is in no profile after this: what it signed before goes on to count. */
async function beforehand(client: Client): Promise<void> {
  if ((await client.rows.read((rows) => rows.get("types", "ssh"))) === undefined) return;
  await (await import("../../ssh/signers.ts")).noteEnded(client);
}

/** Has the servers know, which are reached by ssh and not by the portal; whatever becomes of that, the device is disabled. */
async function afterwards(call: Call, client: Client, name: string, receipt: Receipt): Promise<Receipt> {
  const [{ cutOffFromServers }, { quietReach }] = await Promise.all([import("../../ssh/cut-off.ts"), import("../../ssh/open.ts")]);
  try {
    const whole = await cutOffFromServers(client, quietReach(call), name, receipt);
    if (whole !== receipt) await trySync(call, client);
    return whole;
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    return { ...receipt, pending: [...receipt.pending, `its keys on your servers (mesh ssh host sync): ${error.message}`] };
  }
}

/** Asks once, however often the command must begin anew. */
function consentFrom({ args, input, output }: Call): Consent {
  let agreed = args.flag("yes");
  return async (consequence) => {
    if (agreed) return;
    if (!input.mayAsk) return noConsent(consequence);
    output.note(consequence);
    const answer = await input.ask("Type yes to suspend both", "yes");
    if (answer.trim().toLowerCase() !== "yes") throw new MeshError("interrupted", "Nothing was changed.");
    agreed = true;
  };
}
