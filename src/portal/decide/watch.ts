import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { watch } from "../../protocol/watch.ts";
import { type Context, memberOf, type Plan } from "../context.ts";

/** Watch: where the mesh of whoever asks stands now; that it is told of what follows is the portal's own affair. */
export async function decideWatch(context: Context, _: RequestOf<typeof watch>): Promise<Plan<ResponseOf<typeof watch>>> {
  return { response: { revision: memberOf(context).view.record.revision } };
}
