import { withBlock } from "../../applications/ssh/authorized-keys.ts";
import { readBlock } from "../../applications/ssh/block.ts";
import type { Host } from "../../applications/ssh/host.ts";
import type { Client } from "../../client/client.ts";
import { takeOffManaged } from "./managed.ts";
import { trustNow } from "./trust.ts";
import { editRemote, type Reach } from "./reach.ts";

/** Takes our block out of a server's file, or our files off a managed one; `agree` is told how many other lines still let somebody in, and throws if that is not to be. Returns how many. */
export async function takeOut(client: Client, host: Host, reach: Reach, agree: (left: number) => Promise<void>): Promise<number> {
  if (host.way === "managed") return takeOffManaged(await trustNow(client), host, reach, agree);
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
