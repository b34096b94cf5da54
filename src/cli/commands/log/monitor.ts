import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { toBase64url } from "../../../bytes/base64url.ts";
import { holdingPortalTo } from "../../../client/blame.ts";
import type { PortalLocation } from "../../../client/where.ts";
import { parsePortalUrl } from "../../../http/url.ts";
import { writeEvidence } from "../../../notary/evidence.ts";
import { logNumber, logPrefix, policyOf } from "../../../notary/log-policy.ts";
import { Caught, Monitor, monitored } from "../../../notary/monitoring/monitor.ts";
import { MAX_NOTE } from "../../../notary/note.ts";
import { holdToReceipt } from "../../../notary/monitoring/promised.ts";
import type { Tallied } from "../../../notary/tally.ts";
import type { Code } from "../../../refusals/codes.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { SqliteStore } from "../../../store/sqlite.ts";
import type { Call } from "../../call.ts";
import { counted } from "../../counted.ts";
import { homePath } from "../../home-path.ts";
import { keepEvidence } from "../../keep-evidence.ts";
import { readOctets } from "../../octets.ts";
import { portalOf } from "../../where.ts";

const MOST_SECONDS = 7 * 24 * 3600;

/** `mesh log monitor URL`: { origin, size, root, read, accounts, versions, busiest?, state } each time that the log was read to its end and found right. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const place = await portalOf("", args.needText("URL"));
  const every = args.number("every", 1, MOST_SECONDS);
  const file = stateFile(call, place);
  const receipts = args.texts("receipt").map((path) => readOctets(path, MAX_NOTE, "note-malformed"));
  let isFirst = true;
  for (;;) {
    try {
      const { origin, read, root, size, tallied } = await readOn(call, place, file, receipts);
      // Whoever watches is told what is new.
      if (isFirst || read > 0) output.data({ origin, read, root, size, state: file, ...shownTally(tallied) }, `${origin}: ${size} entries, ${read} of them new; its tree, its map and its versions are right.${tallyText(tallied)}`);
      isFirst = false;
    } catch (error) {
      if (every === undefined || !(error instanceof MeshError) || !passes(error)) throw error;
      output.note(`${error.message} It is tried again in ${every} s.`);
    }
    if (every === undefined) return;
    await pause(every * 1000);
  }
}

/** Refusals that are of the moment, beside those of exit 7: a portal that has closed no epoch yet, counts whoever asks, or stands behind a proxy that says something itself. */
const PASSING: ReadonlySet<Code> = new Set(["service-answer-malformed", "service-internal", "service-rate-limited", "store-not-found"]);

/** Whether whoever watches goes on, since it may be over the next time. */
function passes({ code, exit }: MeshError): boolean {
  return exit === 7 || PASSING.has(code);
}

type Round = { readonly origin: string; readonly read: number; readonly root: string; readonly size: number; readonly tallied: Tallied };

function shownTally({ accounts, busiest, versions }: Tallied) {
  return { accounts, versions, ...(busiest === undefined ? {} : { busiest: { ...busiest, hour: new Date(busiest.hour).toISOString() } }) };
}

/** What operators and members of a federation hold against the limits that they agreed on (decision 8.4). */
function tallyText({ accounts, busiest, versions }: Tallied): string {
  if (busiest === undefined) return "";
  return `\nNew in it: ${counted(accounts, "account")} made or given up, ${counted(versions, "version")} of profiles and suspensions; of one mesh at most ${busiest.versions} in an hour.`;
}

async function readOn(call: Call, place: PortalLocation, file: string, receipts: readonly Uint8Array[]): Promise<Round> {
  const { meetOutside } = await import("../../monitor/meet.ts");
  const met = await meetOutside(place);
  try {
    const { logKeys } = met.profile.payload;
    demand(logKeys.length > 0, "store-not-found", "This portal has no log.", "Ask its operator to bring it up to date.");
    const policy = policyOf(logKeys);
    await setAside(call, file, policy.origin);
    const store = await openState(file);
    try {
      const monitor = await Monitor.open(store, policy);
      const before = monitor.size;
      const prefix = logPrefix(policy.origin);
      // What does not read is laid at its door, as devices do.
      const checkpoint = await holdingPortalTo(() => monitor.follow((path) => met.get(`${prefix}${path}`), call.world.now() / 1000));
      const { root, size } = checkpoint;
      if (size > before) await monitor.save();
      for (const receipt of receipts) await holdToReceipt(store, policy, checkpoint, receipt, call.world.now());
      return { origin: policy.origin, read: size - before, root: toBase64url(root), size, tallied: monitor.tallied };
    } finally {
      await store.close();
    }
  } catch (error) {
    throw error instanceof Caught ? withEvidence(error, met.profile.payload.logKeys, file) : error;
  } finally {
    met.close();
  }
}

/** A portal that says under its own key that it began a later log is followed to it; what was read of the one before stays beside. */
async function setAside(call: Call, file: string, origin: string): Promise<void> {
  if (!existsSync(file)) return;
  const store = await openState(file);
  const state = await monitored(store).finally(() => store.close());
  if (state === undefined || state.origin === origin) return;
  demand((logNumber(origin) ?? 0) > (logNumber(state.origin) ?? 0), "portal-older-log", `The portal shows the log ${origin}, where it had ${state.origin}.`, "What it had signed is kept. Do not rely on it.");
  const aside = `${file}.${logNumber(state.origin)}`;
  renameSync(file, aside);
  call.output.note(`The portal ended its log ${state.origin} (${state.size} entries) and began another, ${origin}. What was read of it is now in ${aside}. If its operator knows of no restore from a backup, do not rely on it.`);
}

async function openState(file: string): Promise<SqliteStore> {
  const { openSqliteStore } = await import("../../../store/sqlite.ts");
  return openSqliteStore(file);
}

function withEvidence({ code, evidence, message }: Caught, logKeys: readonly string[], file: string): MeshError {
  const path = evidence === undefined ? undefined : keepEvidence(dirname(file), writeEvidence(evidence), evidence.kind);
  const keys = logKeys.slice(-2).map((key) => ` --key '${key}'`).join("");
  const hint = path === undefined ? `What was read before is kept in ${file}: whoever replays this log finds the same. Do not rely on this portal.` : `Its own signed words are kept in ${path}. Check them: mesh log check-evidence ${path}${keys}`;
  return new MeshError(code, message, hint);
}

function stateFile(call: Call, { url }: PortalLocation): string {
  const given = call.args.text("state");
  if (given !== undefined) return resolve(given);
  const { host, port } = parsePortalUrl(url);
  const folder = join(homePath(call.args.text("home"), call.world.environment), "monitor");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${host.replaceAll(":", "_")}-${port}.db`);
}
