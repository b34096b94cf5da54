import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { hello } from "../../protocol/hello.ts";
import type { Context, Plan } from "../context.ts";

/** Hello: who this portal is. */
export async function decideHello(context: Context, _request: RequestOf<typeof hello>): Promise<Plan<ResponseOf<typeof hello>>> {
  return { response: { portal: context.identity.jws, versions: [1] } };
}
