import { fromBase64url } from "../../bytes/base64url.ts";
import { equalBytes } from "../../bytes/equal.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import { type follow, passOf } from "../../protocol/follow.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Context, Plan } from "../context.ts";
import { personalIn, personalKey } from "../personals.ts";
import { shelf } from "../records.ts";
import { historyAfter } from "./get-profiles.ts";
import { standingOf } from "./status.ts";

/** Follow: what comes after what the asker has, if it shows that it was shown a version; a mesh that is not here and a false pass are refused alike. */
export async function decideFollow(context: Context, request: RequestOf<typeof follow>): Promise<Plan<ResponseOf<typeof follow>>> {
  const view = await context.view(request.master);
  const response = await context.read(async (r) => {
    const kept = view === undefined ? undefined : await r.get(shelf.personals, personalKey(view.id, request.version));
    const pass = kept === undefined ? undefined : passOf(await personalIn(r, kept));
    demand(view !== undefined && pass !== undefined && equalBytes(pass, fromBase64url(request.pass)), "account-unknown", "There is no such mesh here, or it is not for you to follow.");
    return { profiles: await historyAfter(r, view.id, request), standing: await standingOf(r, view, context.now) };
  });
  return { response };
}
