import { errorResponse, type HttpResponse } from "../../http/answer.ts";
import type { Code } from "../../refusals/codes.ts";
import { MeshError } from "../../refusals/mesh-error.ts";

/** What ails a store for a while. */
const AWAY: ReadonlySet<Code> = new Set(["store-busy", "store-clock-off", "store-closed", "store-full", "store-read-only", "store-unreachable"]);

/** What whoever asked is answered while the store cannot: 503, ask again later; throws every other error, which is a fault of ours. */
export function unable(error: unknown): HttpResponse {
  if (!(error instanceof MeshError) || !AWAY.has(error.code)) throw error;
  const isFull = error.code === "store-full" || error.code === "store-read-only";
  return isFull ? errorResponse(503, "service-full", "The portal's disk takes nothing now; its operator's log says why.") : errorResponse(503, "service-busy", "The portal's records cannot be had now; ask again later.");
}
