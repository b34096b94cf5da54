import { type Consent, disableDevice, noConsent } from "../../../client/operations/disable.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { receiptText } from "./receipt.ts";

/** `mesh device disable NAME`: cuts a device off, now; says what was done and what is left to do. Where this device would fall as well, it asks. */
export async function run(call: Call): Promise<void> {
  const receipt = await disableDevice(await openClient(call, "online"), call.args.needText("NAME"), consentFrom(call));
  call.output.data(receipt, receiptText(receipt));
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
