import { type Client, memberSelf } from "../client/client.ts";
import { ASKING_MS, beginning, type Met, type Pace, paceAfter, waitAfter } from "../client/in-step.ts";
import { meetPortal, type PortalLink, type Requester } from "../client/portal-link.ts";
import { watch } from "../protocol/watch.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { BackgroundSync, type Parts } from "./background-sync.ts";

/** How a home is kept in step: its portal tells of changes, or is asked for them from time to time; null while neither goes. */
export type InStepBy = "told" | "asks" | null;

/** What keeps a home in step. */
export type InStep = { by(): InStepBy; /** When it last took or sent something; milliseconds of the clock. */ workedAt(): number; stop(): void };

/** A stream's head and first event are there within so long, and nothing is silent for longer than two of its beats; milliseconds. */
const BOUNDS = { firstMs: 10_000, silenceMs: 100_000 };
/** How often it is looked whether the clock jumped, and something is to be sent; milliseconds. */
const LOOK_MS = 5_000;
/** A stream that broke sooner than that, in milliseconds, counts as one that failed. */
const STOOD_MS = 10_000;
/** What the clock may be ahead of the timer that looked at it, in milliseconds: more, and the computer slept. */
const SLEPT_MS = 20_000;

/**
 * Keeps a home in step with its portal for as long as it is let: hears of changes over a stream, over answers that wait where streams are held back, or asks every
 * half minute where neither comes through; comes back with full jitter after whatever breaks, and at once when the computer wakes.
 */
export function keepInStep(parts: Parts): InStep {
  const { chance, now, open } = parts;
  const syncs = new BackgroundSync(parts);
  const over = new AbortController();
  let hears = false;
  let pace: Pace = beginning;
  let link: PortalLink | undefined;
  let wake = (): void => {};

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  /** Is heard again: whatever went wrong before may go well now. */
  const heard = (): void => {
    if (!hears) syncs.hurry();
    hears = true;
  };

  /** Goes one way for as long as it goes. */
  const go = async (client: Client): Promise<Met> => {
    const self = await memberSelf(client);
    if (pace.way === "asking") {
      syncs.told();
      await pause(ASKING_MS * (0.5 + chance()));
      return { kind: "ended" };
    }
    const requester = { device: self.device, master: self.master, authenticationKey: self.authenticationKey };
    const begun = now();
    link = await meetPortal(client, self.portal.url, self.portal.id);
    try {
      const met = await (pace.way === "stream" ? overStream(link, requester) : overAnswers(link, requester));
      // What is ended as soon as it stands is not to be begun again at once, for ever.
      return met.kind === "ended" && Math.abs(now() - begun) < STOOD_MS ? { kind: "failed", retryMs: undefined } : met;
    } finally {
      hears = false;
      link.close();
      link = undefined;
    }
  };

  const spreadOver = (spread: number): void => void (pace = { ...pace, spread });

  const overStream = async (at: PortalLink, requester: Requester): Promise<Met> => {
    let retryMs: number | undefined;
    try {
      for await (const { retry, revision } of at.watch(requester, BOUNDS)) {
        retryMs = retry;
        if (revision !== undefined) heard();
        // From whoever is not known to be the portal's session nobody takes a pace.
        if (hears && retry !== undefined) spreadOver(retry);
        if (revision !== undefined) syncs.told();
      }
      return { kind: "ended" };
    } catch (error) {
      if (hears) return { kind: "ended" };
      const code = error instanceof MeshError ? error.code : "internal";
      if (code === "request-unknown-command") return { kind: "unknown" };
      // Whoever answers other requests at once has his answers that go on held back.
      if (code === "service-timeout" && (await answers(at, requester))) return { kind: "held-back" };
      // Where too many listen, the others ask.
      if (code === "service-rate-limited") syncs.told();
      return { kind: "failed", retryMs };
    }
  };

  const answers = (at: PortalLink, requester: Requester): Promise<boolean> => at.call(requester, watch, { after: 0 }).then(() => true, () => false);

  const overAnswers = async (at: PortalLink, requester: Requester): Promise<Met> => {
    let { revision } = await at.call(requester, watch, { after: 0 });
    heard();
    syncs.told();
    for (let broken = 0; !over.signal.aborted && now() < pace.tryAt; ) {
      try {
        const next = await at.call(requester, watch, { after: revision });
        if (next.revision !== revision) syncs.told();
        revision = next.revision;
        broken = 0;
      } catch {
        if (!(await answers(at, requester))) return { kind: "failed", retryMs: undefined };
        broken += 1;
        if (broken > 1) return { kind: "held-back" };
      }
    }
    return { kind: "ended" };
  };

  void (async () => {
    while (!over.signal.aborted) {
      const client = await open().catch(() => undefined);
      const met = client === undefined ? undefined : await go(client).catch((error: unknown): Met | undefined => (isNobody(error) ? undefined : { kind: "failed", retryMs: undefined }));
      if (over.signal.aborted) return;
      if (met === undefined) {
        // Nothing to keep in step yet.
        await pause(LOOK_MS);
        continue;
      }
      pace = paceAfter(pace, met, now());
      await pause(waitAfter(pace, met, chance()));
    }
  })();

  let looked = now();
  const looking = setInterval(() => {
    const slept = now() - looked > LOOK_MS + SLEPT_MS;
    looked = now();
    if (slept) {
      // What stood is gone, and nobody was told.
      pace = { ...pace, failures: 0 };
      link?.close();
      wake();
    }
    if (hears || pace.way === "asking") void syncs.look().catch(() => {});
  }, LOOK_MS);

  return {
    by: () => (!syncs.well ? null : pace.way === "asking" ? "asks" : hears ? "told" : null),
    workedAt: () => syncs.workedAt,
    stop: () => {
      over.abort();
      clearInterval(looking);
      syncs.stop();
      link?.close();
      wake();
    },
  };
}

/** Whether there is no member here whose mesh could be in step. */
function isNobody(error: unknown): boolean {
  return error instanceof MeshError && (error.code === "home-missing" || error.code === "device-not-connected");
}
