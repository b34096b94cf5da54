import type { LogKeeper } from "../notary/keeping/log-keeper.ts";
import { logResource, type LogResource } from "../notary/keeping/resources.ts";
import { mapKinds } from "../notary/map.ts";
import type { MasterId } from "../profiles/types.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Store } from "../store/store.ts";
import { isUdf } from "../udf/udf.ts";

/** Below it are proofs of what is current: `current/<kind>/<UDF>`. */
const CURRENT = "current/";

/** What a portal's log serves to anybody at a path below its prefix (`docs/spec/log.md` 10.5); undefined where there is nothing, or not yet. */
export async function logPage(store: Store, keeper: Pick<LogKeeper, "prove">, path: string): Promise<LogResource | undefined> {
  if (!path.startsWith(CURRENT)) return logResource(store, path);
  const [kind, id, ...more] = path.slice(CURRENT.length).split("/");
  const known = mapKinds.find((one) => one === kind);
  if (known === undefined || !isUdf(id) || more.length > 0) return undefined;
  try {
    return { octets: await keeper.prove({ kind: known, id: id as MasterId }), type: "text/plain; charset=utf-8", isImmutable: false };
  } catch (error) {
    if (error instanceof MeshError && error.code === "store-not-found") return undefined;
    throw error;
  }
}

/** The prefix of a log at its portal: the path of its origin. */
export function logPrefix(origin: string): string {
  return `${origin.slice(origin.indexOf("/"))}/`;
}
