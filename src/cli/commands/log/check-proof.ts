import { judgeProof } from "../../../client/log-proofs.ts";
import type { Call } from "../../call.ts";
import { readOctets } from "../../octets.ts";
import { openClient } from "../../open-client.ts";
import { currencyDocument, currencyText } from "./told.ts";

/** The most octets of a proof that is read. */
const MAX_PROOF = 512 * 1024;

/** `mesh log check-proof FILE`: judged by the keys of this device's portal, offline. */
export async function run(call: Call): Promise<void> {
  const octets = readOctets(call.args.needText("FILE"), MAX_PROOF, "log-proof-malformed");
  const currency = await judgeProof(await openClient(call, "offline"), octets);
  call.output.data(currencyDocument(currency), currencyText(currency));
}
