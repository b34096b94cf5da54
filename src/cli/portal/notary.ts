import { Receipts } from "../../notary/keeping/receipts.ts";
import { LogKeeper } from "../../notary/keeping/log-keeper.ts";
import { logResource, type LogResource } from "../../notary/keeping/resources.ts";
import { mapKinds } from "../../notary/map.ts";
import { adopt } from "../../portal/adopt.ts";
import { standingOf } from "../../portal/logged.ts";
import type { HttpResponse } from "../../http/answer.ts";
import type { HttpRequest } from "../../http/receive.ts";
import { answerResource } from "../../http/resource.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { MasterId } from "../../profiles/types.ts";
import type { Store } from "../../store/store.ts";
import { isUdf } from "../../udf/udf.ts";
import type { Log } from "./log.ts";
import type { LogSigners } from "./log-keys.ts";

/** An epoch is closed so often, in milliseconds, if there is anything to close it over; a second is what is promised (`docs/spec/log.md` 6.1). */
const EPOCH_MS = 250;

/** Below it are proofs of what is current: `current/<kind>/<UDF>`. */
const CURRENT = "current/";

/** A portal's notary while it serves. */
export type Notary = {
  readonly receipts: Receipts;
  /** What the log serves to anybody; undefined for what is none of its paths. */
  readonly answer: (request: HttpRequest) => Promise<HttpResponse> | undefined;
  /** Closes the last epoch, once nobody writes any more. */
  readonly stop: () => Promise<void>;
};

/** Opens a portal's log, tells it what was here before it, and closes its epochs from then on. */
export async function beginNotary(store: Store, { note, origin, subtree }: LogSigners, log: Log, now: () => number): Promise<Notary> {
  await adopt(store);
  const keeper = await LogKeeper.open({ store, origin, signers: [note, subtree], now, standingOf });
  await keeper.close();
  let failing = false;
  const tell = (error: unknown): void => {
    // What stops a log goes on to: said once.
    if (!failing) log.note("error", "epoch-failed", { fault: error instanceof Error ? error.message : "unknown" });
    failing = true;
  };
  const close = async (): Promise<void> => {
    try {
      await keeper.close();
      failing = false;
    } catch (error) {
      tell(error);
    }
  };
  let under: Promise<void> | undefined;
  const timer = setInterval(() => {
    under ??= close().finally(() => (under = undefined));
  }, EPOCH_MS).unref();
  const prefix = origin.slice(origin.indexOf("/")) + "/";
  return {
    receipts: new Receipts({ origin, signer: note, now, keeper }),
    answer: (request) => {
      const { method, path } = request;
      if ((method !== "GET" && method !== "HEAD") || !path.startsWith(prefix)) return undefined;
      const rest = path.slice(prefix.length);
      const found = rest.startsWith(CURRENT) ? proofFrom(keeper, rest.slice(CURRENT.length)) : logResource(store, rest);
      return found.then((resource) => answerResource(request, resource));
    },
    stop: async () => {
      clearInterval(timer);
      await under;
      await close();
      await keeper.save().catch(tell);
    },
  };
}

async function proofFrom(keeper: LogKeeper, path: string): Promise<LogResource | undefined> {
  const [kind, id, ...more] = path.split("/");
  const known = mapKinds.find((one) => one === kind);
  if (known === undefined || !isUdf(id) || more.length > 0) return undefined;
  try {
    return { octets: await keeper.prove({ kind: known, id: id as MasterId }), type: "text/plain; charset=utf-8", isImmutable: false };
  } catch (error) {
    if (error instanceof MeshError && error.code === "store-not-found") return undefined;
    throw error;
  }
}
