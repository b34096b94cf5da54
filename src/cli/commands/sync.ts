import { alarmOf, endAlarm } from "../../client/alarms.ts";
import type { Client } from "../../client/client.ts";
import { endedLog } from "../../client/log-proofs.ts";
import { answerPins } from "../../client/operations/pin.ts";
import { removeSuspended } from "../../client/operations/disable.ts";
import { replay } from "../../client/replay.ts";
import { pull, sync } from "../../client/sync.ts";
import type { Call } from "../call.ts";
import { keylessText } from "../keyless-text.ts";
import { openClient } from "../open-client.ts";
import type { HostState } from "../ssh/host-state.ts";
import { endedText } from "./log/told.ts";

/** `mesh sync`: everything new comes, everything unsent goes, everything owed is done. Offline it exits with 7. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "online");
  const alarm = await client.rows.read(alarmOf);
  const returned = call.args.flag("bring-back") ? await (await import("../../client/operations/bring-back.ts")).bringBack(client) : undefined;
  const report = await sync(client);
  const synced = await pull(client);
  call.whenDone(() => synced.link.close());
  const admitted = await answerPins(client, synced);
  const current = synced.answer.pending === 0 ? synced : await pull(client);
  call.whenDone(() => current.link.close());
  const removed = await removeSuspended(client, current);
  const last = admitted.length + removed > 0 ? await sync(client) : report;
  const left = await replay(client, current);
  const servers = await bringServersInStep(call, client);
  // She was told, and looked herself.
  if (alarm !== undefined) await endAlarm(client, alarm);
  const { pending } = current.answer;
  const waiting = pending === 0 ? "" : ` ${pending} device${pending === 1 ? "" : "s"} ask${pending === 1 ? "s" : ""} to join: mesh device pending.`;
  const back = returned === undefined ? "" : `The portal was given back ${returned} thing${returned === 1 ? "" : "s"}. `;
  call.output.receipt({ ...(returned === undefined ? {} : { returned }), received: report.received, sent: report.sent + (last === report ? 0 : last.sent), admitted, pending, unchecked: left, keyless: last.keyless, ...(alarm === undefined ? {} : { alarm: { at: new Date(alarm.at).toISOString(), code: alarm.code } }), ...(servers.length === 0 ? {} : { servers: servers.map(({ name, state }) => ({ name, state })) }) }, `${back}Up to date.${admitted.map((name) => ` ${name} joined by PIN.`).join("")}${waiting}`);
  for (const { name, state, trouble } of servers) call.output.note(trouble === undefined ? `${name} was ${state === "in-step" ? "in step" : "brought in step"}.` : `${name} is not in step with your devices: ${trouble.message}`);
  const ended = await endedLog(client);
  if (ended !== undefined) call.output.note(endedText(ended));
  if (last.keyless > 0) call.output.note(keylessText(last.keyless));
  if (left > 0) call.output.note(`${left} older changes, for which the device that let this one in vouches, are still to be read; each sync reads some.`);
}

/** Brings servers in step that are known not to be, and sends what was noted of that. */
async function bringServersInStep(call: Call, client: Client): Promise<readonly HostState[]> {
  if ((await client.rows.read((rows) => rows.get("types", "ssh"))) === undefined) return [];
  const [{ tendCertificates }, { catchUp }, { quietReach }, { conflictHint, conflictText, takeConfirmed }] = await Promise.all([import("../ssh/certificates.ts"), import("../ssh/catch-up.ts"), import("../ssh/open.ts"), import("../ssh/taking.ts")]);
  const certified = await tendCertificates(client);
  const reach = quietReach(call);
  const { added, conflicts } = await takeConfirmed(client, reach);
  const states = await catchUp(client, reach);
  if (conflicts.length > 0) call.output.note(`${conflictText(conflicts)} ${conflictHint}`);
  // What was noted, and what is new of hosts, is sent at once; where there is neither this asks nothing.
  if (certified + added > 0 || states.some((one) => one.trouble === undefined)) await sync(client);
  return states;
}
