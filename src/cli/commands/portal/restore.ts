import { resolve } from "node:path";

import type { Call } from "../../call.ts";
import { restore } from "../../portal/backup.ts";

/** `mesh portal restore`: makes a portal's directory from a backup; what came after the backup is lost until its users' devices bring it back. */
export async function run({ args, output, world }: Call): Promise<void> {
  const directory = resolve(args.needText("data"));
  const { made, at } = await restore(resolve(args.needText("FILE")), directory, args.text("depot"), world.now());
  output.receipt(
    { data: directory, made: new Date(made).toISOString(), restored: new Date(at).toISOString() },
    `Restored into ${directory} as it was on ${new Date(made).toISOString()}.\nTell your users before you serve it: what they did since is lost here, their devices will say so, and \`mesh sync --bring-back\`\nputs it back, on the device used last first. Devices that they cut off since can enter until then.`,
  );
}
