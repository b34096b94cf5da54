import { Receipts } from "../../notary/keeping/receipts.ts";
import { LogKeeper } from "../../notary/keeping/log-keeper.ts";
import { isUnclosed } from "../../notary/keeping/record.ts";
import { adopt } from "../../portal/adopt.ts";
import { logPage, logPrefix } from "../../portal/log-pages.ts";
import { standingOf } from "../../portal/logged.ts";
import type { HttpResponse } from "../../http/answer.ts";
import type { HttpRequest } from "../../http/receive.ts";
import { answerResource } from "../../http/resource.ts";
import type { Store } from "../../store/store.ts";
import type { Log } from "./log.ts";
import type { LogSigners } from "./log-keys.ts";

/** An epoch is closed so often, in milliseconds, if there is anything to close it over; a second is what is promised (`docs/spec/log.md` 6.1). */
const EPOCH_MS = 250;

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
  let failing = false;
  const tell = (error: unknown): void => {
    // What stops a log goes on to: said once.
    if (!failing) log.note("error", "epoch-failed", { fault: error instanceof Error ? error.message : "unknown" });
    failing = true;
  };
  const close = async (): Promise<void> => {
    try {
      if (await store.read(isUnclosed)) await keeper.close();
      failing = false;
    } catch (error) {
      tell(error);
    }
  };
  await close();
  let under: Promise<void> | undefined;
  const timer = setInterval(() => {
    under ??= close().finally(() => (under = undefined));
  }, EPOCH_MS).unref();
  const prefix = logPrefix(origin);
  return {
    receipts: new Receipts({ origin, signer: note, now, keeper }),
    answer: (request) => {
      const { method, path } = request;
      if ((method !== "GET" && method !== "HEAD") || !path.startsWith(prefix)) return undefined;
      return logPage(store, keeper, path.slice(prefix.length)).then((page) => answerResource(request, page));
    },
    stop: async () => {
      clearInterval(timer);
      await under;
      await close();
      await keeper.save().catch(tell);
    },
  };
}
