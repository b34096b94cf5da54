import { appendFileSync } from "node:fs";
import { resolve } from "node:path";

import { serve } from "../../../http/serve.ts";
import { defaultPolicy } from "../../../portal/limits.ts";
import { Portal, type PortalEvent } from "../../../portal/portal.ts";
import { openSqliteStore } from "../../../store/sqlite.ts";
import type { Call } from "../../call.ts";
import { describePortal, openPortalData } from "../../portal/data.ts";

/** `mesh portal serve`: runs a portal until a signal; requests in flight are finished, what was answered is on disk. */
export async function run(call: Call): Promise<void> {
  const { args, world } = call;
  const data = await openPortalData(resolve(args.needText("data")));
  const store = await openSqliteStore(data.database);
  call.whenDone(() => store.close());
  const log = logTo(args.text("log"), (line) => world.write(2, line), world.now);
  const portal = new Portal({ store, identity: data.identity, policy: { ...defaultPolicy, creation: data.settings.accounts }, now: world.now, log });
  const served = await serve({
    host: data.settings.host,
    port: data.settings.port,
    tls: data.tls,
    handle: ({ remoteAddress, ...request }) => portal.handle({ ...request, remote: remoteAddress }),
    log: (event) => {
      if (event.kind === "fault") log({ command: "-", outcome: "service-internal", ms: 0 }, event.error);
    },
  });
  const { url } = describePortal(data.settings, data.identity.profile.payload.id);
  world.write(2, `Portal ready at ${url}\n`);
  await untilSignal();
  await served.close();
}

/** Structured lines, one a request: command, outcome, time; no address, name, identifier or secret (decision 8.4). Faults always reach standard error. */
function logTo(path: string | undefined, standardError: (line: string) => void, now: () => number): (event: PortalEvent, fault?: unknown) => void {
  return (event, fault) => {
    const line = `${JSON.stringify({ at: new Date(now()).toISOString(), ...event, ...(fault === undefined ? {} : { fault: fault instanceof Error ? fault.message : "unknown" }) })}\n`;
    if (fault !== undefined || path === "-") standardError(line);
    if (path !== undefined && path !== "-") appendFileSync(path, line, { mode: 0o600 });
  };
}

function untilSignal(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
}
