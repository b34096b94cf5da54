import type { AgentStatus } from "../../agent/messages.ts";
import { alarmOf } from "../../client/alarms.ts";
import { type Client, selfOf } from "../../client/client.ts";
import { type Status, statusOf } from "../../client/status.ts";
import { keyringHolds, keyringNeedsPassphrase } from "../../keyring/file.ts";
import { showUdf, type Udf } from "../../udf/udf.ts";
import { alarmText } from "../alarm-text.ts";
import type { Call } from "../call.ts";
import { counted } from "../counted.ts";
import { keylessText } from "../keyless-text.ts";
import { homeFiles, openHome } from "../home.ts";
import { clientOf } from "../open-client.ts";

const DAY = 86_400_000;

/** `mesh status`, and `mesh` alone: what this device is and knows, without asking anybody. */
export async function run(call: Call): Promise<void> {
  const home = await openHome(call);
  const client = await clientOf(home, call, "offline");
  await selfOf(client);
  const status = await statusOf(client);
  const files = homeFiles(home.path);
  const extra = { passphrase: await keyringNeedsPassphrase(files.keyring), masterKey: keyringHolds(files.master, "master-signature") ? "in this home" : "not on this device", home: home.path };
  const alarm = await client.rows.read(alarmOf);
  const warnings = [...(alarm === undefined ? [] : [alarmText(alarm, "mesh sync").slice(2)]), ...warningsOf(status, extra, call.world.now()), ...(await serversOwed(client))];
  const agent = call.world.held?.agent() ?? (await (await import("../agent-of.ts")).agentOf(call, home.path)?.status());
  const document = { ...status, synced: timeOf(status.synced), refused: timeOf(status.refused), ...extra, agent: agent === undefined ? null : { unlocked: agent.unlocked, lockAfterSeconds: agent.lockAfter / 1000, inStep: agent.inStep ?? null, ...agent.guards }, warnings };
  call.output.data(document, text(status, agent, warnings, call.world.now()));
}

function timeOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function warningsOf(status: Status, extra: { readonly passphrase: boolean; readonly masterKey: string }, now: number): readonly string[] {
  const age = status.synced === null ? undefined : now - status.synced;
  return [
    ...(status.device.state === "disabled" ? ["This device was disabled: it gets nothing new."] : []),
    ...(status.device.state === "connected" && status.refused !== null ? [`Your portal turned this device away ${ago(now - status.refused)}: it was disabled, or the portal keeps it out. Look at \`mesh device list\` on another of your devices.`] : []),
    ...(status.device.state === "creating" ? ["Your mesh is not finished: run the same `mesh create` again."] : []),
    ...(status.device.state === "joining" ? ["This device waits to be accepted: run the same `mesh join` again."] : []),
    ...(age !== undefined && age > 7 * DAY ? [`Nothing was heard from your portal for ${Math.floor(age / DAY)} days. It may be down, or keep things from you.`] : []),
    ...status.accused.map(({ by, maker }) => `${by} found that ${maker} wrote down false states of your data for new devices: somebody may control it. To cut it off: mesh device disable ${JSON.stringify(maker)}`),
    ...status.silent.map(({ name, days }) => `${name} was not heard of for ${days} days: it is off, or your portal keeps its changes back.`),
    ...(status.owed > 0 ? [`${status.owed} catalog${status.owed === 1 ? " needs" : "s need"} new keys: run \`mesh sync\`.`] : []),
    ...(status.keyless > 0 ? [keylessText(status.keyless)] : []),
    ...(extra.passphrase ? [] : ["This home has no passphrase: whoever reads the disk reads everything. Set one: mesh passphrase change."]),
    ...(extra.masterKey === "in this home" ? ["Your Master and Recovery keys lie in a sealed file in this home, not yet in shares on paper: back this home up."] : []),
  ];
}

/** What servers are owed, by what is known here. */
async function serversOwed(client: Client): Promise<readonly string[]> {
  if ((await client.rows.read((rows) => rows.get("types", "ssh"))) === undefined) return [];
  const { owedServers } = await import("../ssh/catch-up.ts");
  const names = await owedServers(client);
  return names.length === 0 ? [] : [`${counted(names.length, "server")} ${names.length === 1 ? "does" : "do"} not have the keys of your devices as they should: ${names.join(", ")}. Bring ${names.length === 1 ? "it" : "them"} in step where ${names.length === 1 ? "it" : "they"} can be reached: mesh ssh host sync`];
}

function text(status: Status, agent: AgentStatus | undefined, warnings: readonly string[], now: number): string {
  const lines = [
    `${status.address} on ${status.device.name}${status.device.role === "admin" ? ", an administration device" : ""}`,
    `  devices  ${status.devices}`,
    `  portal   ${status.portal.url}`,
    `  synced   ${status.synced === null ? "never" : ago(now - status.synced)}${status.unsent > 0 ? `, ${status.unsent} change${status.unsent === 1 ? "" : "s"} to send` : ""}${agent?.inStep === "told" ? ", kept in step by the agent" : agent?.inStep === "asks" ? ", kept in step by the agent, which asks every half minute: the way to the portal holds back what it tells" : ""}`,
    ...status.onTrust.map(({ by, changes }) => `  on trust ${changes} change${changes === 1 ? "" : "s"}, by the word of ${by}: made while this device was away or before it joined, and kept by your portal no more`),
    ...(agent?.unlocked === true ? [`  unlocked until nothing is asked of it for ${Math.round(agent.lockAfter / 60_000)} minutes, or \`mesh lock\``] : []),
    `  mesh     ${showUdf(status.fingerprint as Udf)}`,
  ];
  return [...lines, ...warnings.map((warning) => `\n! ${warning}`)].join("\n");
}

function ago(ms: number): string {
  if (ms < 90_000) return "just now";
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} minutes ago`;
  return ms < 2 * DAY ? `${Math.round(ms / 3_600_000)} hours ago` : `${Math.floor(ms / DAY)} days ago`;
}
