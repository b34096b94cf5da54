import { disableDevice } from "../../../client/operations/disable.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { receiptText } from "./receipt.ts";

/** `mesh device disable NAME`: cuts a device off, now; says what was done and what is left to do. */
export async function run(call: Call): Promise<void> {
  const receipt = await disableDevice(await openClient(call, "online"), call.args.needText("NAME"));
  call.output.data(receipt, receiptText(receipt));
}
