import { existsSync } from "node:fs";

import { namesOfDevices } from "../../../client/devices.ts";
import type { Call } from "../../call.ts";
import { counted } from "../../counted.ts";
import { openReach } from "../../ssh/open.ts";
import { agentSocket } from "../../ssh/agent-socket.ts";
import { dueKeys } from "../../ssh/due-keys.ts";
import { includeIn, ownConfig } from "../../ssh/files.ts";
import { readHosts, staleHosts } from "../../ssh/in-step.ts";

/** `mesh ssh status`: { key, agent, refused: { at, code, message }, configured, hosts: [ { name, inStep, applied: { at, by } } ] }, what this device knows without asking anybody. */
export async function run(call: Call): Promise<void> {
  const { client, quiet } = await openReach(call, "offline");
  const due = await dueKeys(client);
  const names = await namesOfDevices(client);
  const all = await readHosts(client);
  const stale = new Set(staleHosts(all, due).map((one) => one.id));
  const hosts = all.map(({ applied, id, name }) => ({ name, inStep: !stale.has(id), applied: applied === undefined ? null : { at: applied.at, by: names.get(applied.by) ?? applied.by } }));
  const socket = agentSocket(quiet);
  const said = call.world.held?.agent() ?? (await (await import("../../agent-of.ts")).agentOf(call, quiet.home)?.status());
  const refused = said?.refused ? { ...said.refused, at: new Date(said.refused.at).toISOString() } : null;
  const own = due.keys.find((one) => one.this);
  const [agent, configured] = [socket !== undefined && existsSync(socket), includeIn(ownConfig(), quiet.home, false).isSo];
  const lines = [
    own === undefined ? "This device has no key for SSH that counts." : `${own.device}  ${own.fingerprint}`,
    ...(agent ? [] : ["The agent of this home does not run: ssh is offered none of its keys."]),
    ...(refused === null ? [] : [`The agent refused ssh a key last at ${refused.at}: ${refused.message}`]),
    ...(configured ? [] : ["This device's ssh does not know your servers by name: mesh ssh config"]),
    ...hosts.map(({ applied, inStep, name }) => `${name}  ${inStep ? "in step" : "NOT IN STEP"}${applied === null ? "" : `, by ${applied.by} ${applied.at.slice(0, 10)}`}`),
    ...(stale.size === 0 ? [] : [`${counted(stale.size, "server")} to be brought in step: mesh ssh host sync`]),
  ];
  call.output.data({ key: own === undefined ? null : own.fingerprint, agent, refused, configured, hosts }, lines.join("\n"));
}
