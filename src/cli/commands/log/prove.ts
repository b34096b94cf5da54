import { fromUtf8 } from "../../../bytes/text.ts";
import { proveCurrent } from "../../../client/log-proofs.ts";
import { mapKinds } from "../../../notary/map.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import { parseUdf } from "../../../udf/udf.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { currencyDocument, currencyText } from "./told.ts";

/** `mesh log prove IDENTIFIER`: the proof on standard output, what it shows on standard error. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const id = parseUdf<"master">(args.needText("IDENTIFIER"));
  const kind = mapKinds.find((one) => one === (args.text("kind") ?? "personal"));
  demand(kind !== undefined, "usage-option-value", `--kind is one of ${mapKinds.join(", ")}.`);
  const { currency, proof } = await proveCurrent(await openClient(call, "online"), { kind, id });
  const text = fromUtf8(proof);
  output.data({ ...currencyDocument(currency), proof: text }, text.replace(/\n$/, ""));
  output.note(currencyText(currency));
}
