import { judgeProof } from "../../../client/log-proofs.ts";
import { MAX_PROOF } from "../../../notary/tlog-proof.ts";
import type { Call } from "../../call.ts";
import { readOctets } from "../../octets.ts";
import { openClient } from "../../open-client.ts";
import { currencyDocument, currencyText } from "./told.ts";

/** `mesh log check-proof FILE`: judged by the keys of this device's portal, offline. */
export async function run(call: Call): Promise<void> {
  const octets = readOctets(call.args.needText("FILE"), MAX_PROOF, "log-proof-malformed");
  const currency = await judgeProof(await openClient(call, "offline"), octets);
  call.output.data(currencyDocument(currency), currencyText(currency));
}
