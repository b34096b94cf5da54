import { withBlock } from "../../applications/ssh/authorized-keys.ts";
import { readBlock } from "../../applications/ssh/block.ts";
import type { Host } from "../../applications/ssh/host.ts";
import { editRemote, type Reach } from "./reach.ts";

/** Takes our block out of a server's file; `agree` is told how many other lines still let somebody in, and throws if that is not to be. Returns how many. */
export async function takeOut(host: Host, reach: Reach, agree: (left: number) => Promise<void>): Promise<number> {
  let left = 0;
  await editRemote(reach, host, async ({ text = "" }) => {
    const { keys, others } = readBlock(text, host.block);
    left = others.length;
    if (keys === undefined) return undefined;
    await agree(left);
    return withBlock(text, host.block, []);
  });
  return left;
}
