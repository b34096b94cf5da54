import { unsuspendDevice } from "../../../client/operations/unsuspend.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { receiptText } from "./receipt.ts";

/** `mesh device unsuspend NAME`: ends what suspends a device, from one that stands above whoever suspended it; says what was done and what is left to do. */
export async function run(call: Call): Promise<void> {
  const receipt = await unsuspendDevice(await openClient(call, "online"), call.args.needText("NAME"));
  call.output.data(receipt, receiptText(receipt));
}
