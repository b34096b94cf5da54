import { toBase64 } from "../bytes/base64.ts";
import { utf8 } from "../bytes/text.ts";
import type { LogKeeper } from "../notary/keeping/log-keeper.ts";
import { logResource, type LogResource, signedSize } from "../notary/keeping/resources.ts";
import { tilesIn } from "../notary/keeping/rows.ts";
import { mapKinds } from "../notary/map.ts";
import type { Hash } from "../notary/merkle.ts";
import { consistencyProof, runProof } from "../notary/prove.ts";
import type { MasterId } from "../profiles/types.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Store } from "../store/store.ts";
import { isUdf } from "../udf/udf.ts";

/** Below it are proofs of what is current: `current/<kind>/<UDF>`. */
const CURRENT = "current/";

/** Below it are proofs that one tree continues another: `consistency/<size>/<size>`. */
const CONSISTENCY = "consistency/";

/** Below it is what shows that a run of leaves is in a tree: `inclusion/<from>/<to>/<size>`. */
const INCLUSION = "inclusion/";

/** What a portal's log serves to anybody at a path below its prefix (`docs/spec/log.md` 10.5); undefined where there is nothing, or not yet. */
export async function logPage(store: Store, keeper: Pick<LogKeeper, "prove">, path: string): Promise<LogResource | undefined> {
  if (path.startsWith(CONSISTENCY)) return consistencyPage(store, path.slice(CONSISTENCY.length));
  if (path.startsWith(INCLUSION)) return inclusionPage(store, path.slice(INCLUSION.length));
  if (!path.startsWith(CURRENT)) return logResource(store, path);
  const [kind, id, ...more] = path.slice(CURRENT.length).split("/");
  const known = mapKinds.find((one) => one === kind);
  if (known === undefined || !isUdf(id) || more.length > 0) return undefined;
  try {
    return { octets: await keeper.prove({ kind: known, id: id as MasterId }), type: "text/plain; charset=utf-8", keep: "never" };
  } catch (error) {
    if (error instanceof MeshError && error.code === "store-not-found") return undefined;
    throw error;
  }
}

/** Hashes in base64, one a line: what whoever reads no tiles goes on by. */
function consistencyPage(store: Store, sizes: string): Promise<LogResource | undefined> {
  const [, before = "0", size = "0"] = /^([1-9]\d{0,14})\/([1-9]\d{0,14})$/.exec(sizes) ?? [];
  return store.read(async (r) => {
    const signed = await signedSize(r);
    if (before === "0" || Number(before) > Number(size) || Number(size) > signed) return undefined;
    return hashesPage(await consistencyProof(tilesIn(r), Number(before), Number(size)));
  });
}

/** The hashes beside the leaves that a receipt promised, from left to right: whoever got it has the leaves themselves. */
function inclusionPage(store: Store, run: string): Promise<LogResource | undefined> {
  const [, ...numbers] = /^(0|[1-9]\d{0,14})\/([1-9]\d{0,14})\/([1-9]\d{0,14})$/.exec(run) ?? [];
  const [from = 0, to = 0, size = 0] = numbers.map(Number);
  return store.read(async (r) => {
    if (from >= to || to > size || size > (await signedSize(r))) return undefined;
    return hashesPage(await runProof(tilesIn(r), from, to, size));
  });
}

function hashesPage(hashes: readonly Hash[]): LogResource {
  return { octets: utf8(hashes.map((hash) => `${toBase64(hash)}\n`).join("")), type: "text/plain; charset=utf-8", keep: "for-ever" };
}
