import { demand } from "../../refusals/mesh-error.ts";
import type { Call } from "../call.ts";
import { printableLines } from "../printable.ts";
import { referred } from "./password/refer.ts";

/** `mesh read REFERENCE`: { value }, as text the value alone. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const [one] = await referred(call, [args.needText("REFERENCE")]);
  demand(one !== undefined && !(one.secret && output.toTerminal && !args.flag("reveal")), "secret-not-shown", "A secret goes to a terminal only on demand.", "Add --reveal, or send it to a file or a program.");
  output.data({ value: one.text }, output.toTerminal ? printableLines(one.text) : one.text);
}
