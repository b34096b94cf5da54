import { resolve } from "node:path";

import { equalBytes } from "../../../bytes/equal.ts";
import { parseListen } from "../../../http/address.ts";
import { errorResponse, type HttpResponse } from "../../../http/answer.ts";
import { behindProxies, type WhoAsks } from "../../../http/forwarded.ts";
import type { HttpRequest } from "../../../http/receive.ts";
import { serve } from "../../../http/serve.ts";
import { signedSince } from "../../../notary/keeping/resources.ts";
import { logPrefix } from "../../../notary/log-policy.ts";
import { writeVerifierKey } from "../../../notary/verifier-key.ts";
import { defaultPolicy, type Policy } from "../../../portal/limits.ts";
import { Portal } from "../../../portal/portal.ts";
import { shelf } from "../../../portal/records.ts";
import { hello } from "../../../protocol/hello.ts";
import { encodeRequest } from "../../../protocol/wire.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Store } from "../../../store/store.ts";
import type { Args } from "../../args.ts";
import type { Call } from "../../call.ts";
import type { Adding } from "../../portal/adding.ts";
import { certificateFiles } from "../../portal/certificate.ts";
import type { Cosigned } from "../../portal/cosigned.ts";
import { beginCosigning, COSIGNING_PREFIX } from "../../portal/cosigning.ts";
import { describePortal, openPortalData } from "../../portal/data.ts";
import type { LogSigners } from "../../portal/log-keys.ts";
import { type Log, type LogLevel, logLevels, makeLog } from "../../portal/log.ts";
import { beginNotary, type Notary } from "../../portal/notary.ts";
import { tellReady } from "../../portal/ready.ts";
import { keepDepot, keepVouching, type PortalSettings, useDatabase, type Vouching, vouchingNow } from "../../portal/settings.ts";
import { beginSettling } from "../../portal/settle.ts";
import { openShown } from "../../portal/shown.ts";
import { parseSize } from "../../portal/size.ts";
import { openPortalStore, withDepotAt } from "../../portal/store.ts";
import { beginUpkeep } from "../../portal/upkeep.ts";
import { beginWatching } from "../../portal/watching.ts";
import { withLog } from "../../portal/with-log.ts";

/** `mesh portal serve`: runs a portal until a signal; requests in flight are finished, what was answered is on disk. */
export async function run(call: Call): Promise<void> {
  const { args, world } = call;
  const log = makeLog(args.text("log"), levelOf(args), (line) => world.write(2, line), world.now);
  const [metrics, whoAsks, files] = [metricsOf(args), whoAsksOf(args), certificateFiles(args)];
  const directory = resolve(args.needText("data"));
  useDatabase(directory, args.text("database"));
  const data = withDepotAt(await withLog(directory, await openPortalData(directory)), args.text("depot"));
  const vouching = vouchingNow(args, data.settings);
  const shown = await openShown(directory, data, files);
  const opened = await openPortalStore(data, "serving");
  call.whenDone(() => opened.close());
  keepDepot(directory, data.settings.depot);
  // A portal that can only read serves nobody: not even a session can be opened. Its operator is told now.
  await opened.transact((w) => w.remove(shelf.invitations, ""));
  const meter = metrics === undefined ? undefined : new (await import("../../portal/meter.ts")).Meter();
  const store = meter?.store(opened) ?? opened;
  const cosigning = await beginCosigning(directory, data, store, vouching.cosign, world.now);
  const door: { open?: (whole: HttpRequest, remote: string) => Promise<HttpResponse>; receipts?: Notary["receipts"] } = {};
  const portal = new Portal({
    store,
    receipts: { of: async (recorded, sent) => door.receipts?.of(recorded, sent) },
    identity: shown.identity,
    policy: policyOf(args, data.settings),
    now: world.now,
    ticks: () => performance.now(),
    log: (event, fault) => {
      meter?.request(event);
      log.request(event, fault);
    },
  });
  // From here on it says who it is, and vouches for others: two portals that vouch for each other may be starting at once, and each asks the other first.
  const starting = async ({ remoteAddress: _, ...request }: HttpRequest, remote: string): Promise<HttpResponse> => (equalBytes(request.body, encodeRequest(hello, {})) ? portal.handle({ ...request, remote }) : notYet());
  const served = await serve({
    host: data.settings.host,
    port: data.settings.port,
    tls: shown.tls,
    handle: (whole) => {
      const remote = whoAsks(whole.remoteAddress, whole.headers);
      return cosigning?.answer(whole, remote) ?? door.open?.(whole, remote) ?? starting(whole, remote);
    },
    log: (event) => {
      meter?.wire(event);
      log.wire(event);
    },
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= served.close());
  call.whenDone(close);
  const cosigned = await openCosigned(vouching, store, data.log, log, world.now);
  call.whenDone(() => cosigned?.stop());
  const notary = await beginNotary(store, data.log, log, world.now, cosigned);
  call.whenDone(notary.stop);
  door.receipts = notary.receipts;
  const settling = beginSettling(() => {
    portal.forget();
    return notary.rest();
  });
  call.whenDone(settling.stop);
  const adding = await openAdding(args, store, data.log.origin, world.now);
  door.open = (whole, remote) => {
    const added = adding?.(whole);
    if (added !== undefined) return added;
    const page = notary.answer(whole, remote);
    if (page !== undefined) return page;
    settling.request();
    const { remoteAddress: _, ...request } = whole;
    const answer = (): ReturnType<Portal["handle"]> => portal.handle({ ...request, remote });
    return meter === undefined ? answer() : meter.during(answer);
  };
  call.whenDone(close);
  call.whenDone(shown.follow(served, log));
  if (metrics !== undefined && meter !== undefined) {
    // Loaded for those who want metrics: with `node:http` the engine loads a client for the web, 5 MB of it.
    const [{ servePlain }, { exposition, expositionType }] = await Promise.all([import("../../../http/plain.ts"), import("../../portal/exposition.ts")]);
    const page = await servePlain(metrics.host, metrics.port, { path: "/metrics", contentType: expositionType, text: async () => exposition(meter.metrics(served.connections(), portal.watching.counts())) });
    call.whenDone(() => page.close());
    world.write(2, `Metrics at http://${metrics.host.includes(":") ? `[${metrics.host}]` : metrics.host}:${page.port}/metrics\n`);
  }
  call.whenDone(beginUpkeep(store, opened.depot, notary.written, meter, log, world.now));
  keepVouching(directory, vouching);
  call.whenDone(await beginWatching(portal.watching, data));
  const { url } = describePortal(data.settings, data.identity.profile.payload.id);
  // From its first word on it may be told to end.
  const ended = untilSignal();
  if (cosigned !== undefined) world.write(2, `Cosigned as ${writeVerifierKey(data.log.note.key)}\n`);
  if (cosigning !== undefined) world.write(2, `Cosigns at ${url.split("#")[0]}${COSIGNING_PREFIX} as ${cosigning.key}\n`);
  if (adding !== undefined) world.write(2, `Takes entries from anybody, for tests of load only, at ${url.split("#")[0]}${logPrefix(data.log.origin)}add\n`);
  world.write(2, `Portal ready at ${url}\n`);
  await tellReady(world.environment);
  await settling.started();
  await ended;
}

/** Those who vouch for this portal's log, once they have said that they know no more of it than is kept here; undefined where there are none. */
async function openCosigned({ cosigners, quorum }: Required<Vouching>, store: Store, { note }: LogSigners, log: Log, now: () => number): Promise<Cosigned | undefined> {
  if (cosigners.length === 0) return undefined;
  const [{ guardStart, peersIn }, { beginShowing }] = await Promise.all([import("../../portal/cosigners.ts"), import("../../portal/cosigned.ts")]);
  const peers = peersIn(cosigners);
  demand(quorum <= peers.length, "usage-option-value", `--quorum is at most the number of cosigners, ${peers.length}.`);
  try {
    await guardStart({ signer: note, since: (size) => signedSince(store, size) }, peers, quorum, log);
  } catch (error) {
    for (const peer of peers) peer.close();
    throw error;
  }
  return beginShowing(store, peers, log, now);
}

/** What takes entries from anybody, where an operator who tests load wants that; loaded for nobody else. */
async function openAdding(args: Args, store: Store, origin: string, now: () => number): Promise<Adding | undefined> {
  const perSecond = args.number("add", 1, 1_000_000);
  if (perSecond === undefined) return undefined;
  return (await import("../../portal/adding.ts")).beginAdding(store, origin, perSecond, now);
}

function notYet(): HttpResponse {
  return errorResponse(503, "service-busy", "The portal is starting; ask again.");
}

function policyOf(args: Args, { accounts }: PortalSettings): Policy {
  const quota = args.text("quota");
  const writes = args.number("writes-per-hour", 1, 100_000_000);
  return { ...defaultPolicy, creation: accounts, ...(quota === undefined ? {} : { octetsPerAccount: parseSize(quota, "--quota") }), ...(writes === undefined ? {} : { writesPerHour: writes }) };
}

function levelOf(args: Args): LogLevel {
  const text = args.text("log-level") ?? (args.text("log") === undefined ? "error" : "info");
  const level = logLevels.find((one) => one === text);
  demand(level !== undefined, "usage-option-value", `--log-level is one of ${logLevels.join(", ")}.`);
  return level;
}

function metricsOf(args: Args) {
  const text = args.text("metrics");
  const listen = text === undefined ? undefined : parseListen(text, "127.0.0.1");
  demand(text === undefined || listen !== undefined, "usage-option-value", `--metrics is HOST:PORT or PORT, not ${JSON.stringify(text)}.`);
  return listen;
}

function whoAsksOf(args: Args): WhoAsks {
  const proxies = args.texts("behind-proxy").flatMap((text) => text.split(","));
  const who = proxies.length === 0 ? (peer: string) => peer : behindProxies(proxies);
  demand(who !== undefined, "usage-option-value", "--behind-proxy takes IP addresses and networks, like 127.0.0.1 or 10.0.0.0/8.");
  demand(args.text("proxy-certificate") === undefined || proxies.length > 0, "usage-options-conflict", "--proxy-certificate goes with --behind-proxy.");
  return who;
}

function untilSignal(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
}
