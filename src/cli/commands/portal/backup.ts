import { statSync } from "node:fs";
import { resolve } from "node:path";

import type { Call } from "../../call.ts";
import { backUp } from "../../portal/backup.ts";
import { showSize } from "../../portal/size.ts";

/** `mesh portal backup`: everything that makes a portal, in one file; the portal may be serving. */
export async function run({ args, output, world }: Call): Promise<void> {
  const file = resolve(args.needText("out"));
  const made = world.now();
  const broken = await backUp(resolve(args.needText("data")), file, made);
  const octets = statSync(file).size;
  output.receipt({ file, made: new Date(made).toISOString(), octets, ...(broken === 0 ? {} : { broken }) }, `Backed up to ${file}, ${showSize(octets)}. The portal's keys are in it: keep it as safe as the portal.${broken === 0 ? "" : `\nOf the depot ${broken} file${broken === 1 ? " is" : "s are"} missing or changed, and not whole in the backup: run \`mesh portal check\`.`}`);
}
