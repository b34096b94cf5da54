import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { makeSecret, strengthOf } from "./make.ts";

/** `mesh password generate`: { password, bits }. It is kept nowhere. */
export async function run({ args, output }: Call): Promise<void> {
  const made = makeSecret(args);
  demand(!output.toTerminal || args.flag("reveal"), "secret-not-shown", "A secret goes to a terminal only on demand.", "Add --reveal, or send it to a file or a program.");
  output.data({ password: made.secret, bits: made.bits }, made.secret);
  output.note(`${strengthOf(made)}; it is kept nowhere.`);
}
