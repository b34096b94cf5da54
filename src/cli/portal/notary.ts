import { Receipts } from "../../notary/keeping/receipts.ts";
import { LogKeeper } from "../../notary/keeping/log-keeper.ts";
import { adopt } from "../../portal/adopt.ts";
import { Buckets, networkOf } from "../../portal/limits.ts";
import { logPrefix } from "../../notary/log-policy.ts";
import { logPage } from "../../portal/log-pages.ts";
import { standingOf } from "../../portal/logged.ts";
import { errorResponse, type HttpResponse } from "../../http/answer.ts";
import type { HttpRequest } from "../../http/receive.ts";
import { answerResource } from "../../http/resource.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Store } from "../../store/store.ts";
import type { Log } from "./log.ts";
import type { LogSigners } from "./log-keys.ts";
import { unable } from "./unable.ts";

/** An epoch is closed so often, in milliseconds, if there is anything to close it over; a second is what is promised (`docs/spec/log.md` 6.1). */
const EPOCH_MS = 250;

/** Below this are the pages of a log of this portal, or of one that it had. */
const ANY_LOG = /^\/mesh\/[1-9]\d*\//;

/** So late an epoch is closed before anything is proved: after a process stood still, it would lack what was promised. */
const LATE_MS = 1000;

/** So long ago the last epoch may have been closed, where none can be now, before nothing is served any more: half of what is promised. */
const BEHIND_MS = 5000;

/** Pages of a log a minute, an address: a device asks for a few at each sync, a monitor for many once. */
const PAGES_PER_MINUTE = 6000;

/** A portal's notary while it serves. */
export type Notary = {
  readonly receipts: Receipts;
  /** What the log serves to anybody; undefined for what is none of its paths. */
  readonly answer: (request: HttpRequest, remote: string) => Promise<HttpResponse> | undefined;
  /** Has the rows of the map tell all that the log says: before a mesh is taken away that may come back. */
  readonly written: () => Promise<void>;
  /** Lets go of memory, when nobody has asked for a while. */
  readonly rest: () => Promise<void>;
  /** Closes the last epoch, once nobody writes any more. */
  readonly stop: () => Promise<void>;
};

/** What others say of a log's checkpoints, put under them wherever they are served. */
type CosignedPages = { readonly on: (path: string, octets: Uint8Array) => Uint8Array };

/** Opens a portal's log, tells it what was here before it, and closes its epochs from then on. */
export async function beginNotary(store: Store, { note, origin, subtree }: LogSigners, log: Log, now: () => number, cosigned?: CosignedPages): Promise<Notary> {
  await adopt(store);
  const keeper = await LogKeeper.open({ store, origin, signers: [note, subtree], now, standingOf });
  let failing: { readonly isFull: boolean } | undefined;
  // What was appended before is closed over. Before the first nobody knows how long something has been waiting.
  let closed = 0;
  const tell = (error: unknown): void => {
    // What stops a log goes on to: said once.
    if (failing === undefined) log.note("error", "epoch-failed", { fault: error instanceof Error ? error.message : "unknown" });
    failing = { isFull: error instanceof MeshError && (error.code === "store-full" || error.code === "store-read-only") };
  };
  const close = async (): Promise<void> => {
    const began = now();
    try {
      if (await keeper.isDue()) await keeper.close();
      failing = undefined;
      closed = began;
    } catch (error) {
      tell(error);
    }
  };
  let under: Promise<void> | undefined;
  let last = 0;
  const closeOnce = (): Promise<void> => {
    last = now();
    return (under ??= close().finally(() => (under = undefined)));
  };
  await closeOnce();
  const timer = setInterval(() => void closeOnce(), EPOCH_MS).unref();
  const prefix = logPrefix(origin);
  const pages = new Buckets(PAGES_PER_MINUTE, 60_000);
  const answerPage = async (request: HttpRequest): Promise<HttpResponse> => {
    if (under !== undefined || Math.abs(now() - last) > LATE_MS) await closeOnce();
    // Of a log that ended nothing is served.
    if (!request.path.startsWith(prefix)) return answerResource(request, undefined);
    // What is not closed may be long due: nobody is to take that for a lie.
    if (failing !== undefined && now() - closed > BEHIND_MS) return failing.isFull ? errorResponse(503, "service-full", "The portal's disk takes nothing now; its operator's log says why.") : errorResponse(503, "service-busy", "The portal cannot write its log now; ask again later.");
    const path = request.path.slice(prefix.length);
    const page = await logPage(store, keeper, path);
    return answerResource(request, page === undefined || cosigned === undefined ? page : { ...page, octets: cosigned.on(path, page.octets) });
  };
  return {
    receipts: new Receipts({ origin, signer: note, now, keeper }),
    answer: (request, remote) => {
      const { method, path } = request;
      if ((method !== "GET" && method !== "HEAD") || !ANY_LOG.test(path)) return undefined;
      if (pages.take(networkOf(remote), now())) return answerPage(request).catch(unable);
      return Promise.resolve(errorResponse(429, "service-rate-limited", "Too many requests from this address; wait a minute."));
    },
    written: () => keeper.save(),
    rest: () => keeper.rest().catch(tell),
    stop: async () => {
      clearInterval(timer);
      await under;
      await close();
      await keeper.save().catch(tell);
    },
  };
}
