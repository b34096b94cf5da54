import { readHosts, staleHosts } from "../../../ssh/in-step.ts";
import { dueKeys } from "../../../ssh/due-keys.ts";
import type { Call } from "../../../call.ts";
import { openClient } from "../../../open-client.ts";

/** `mesh ssh host list`: [ { id, name, host, port, user, way, hostKeys, inStep } ], as any device of yours noted last. Works offline. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "offline");
  const hosts = await readHosts(client);
  const stale = new Set(staleHosts(hosts, await dueKeys(client)).map((one) => one.id));
  const document = hosts.map(({ host, hostKeys, id, name, port, user, way }) => ({ id, name, host, port, user, way, hostKeys: hostKeys.length, inStep: !stale.has(id) }));
  const rows = document.map((one) => [one.name, `${one.user}@${one.host}`, String(one.port), one.inStep ? "in step" : "to be brought in step"]);
  if (!call.output.json && rows.length === 0) return call.output.note("There are no servers yet. Add one: mesh ssh host add user@host");
  call.output.data(document, call.output.table(["NAME", "LOGIN", "PORT", "KEYS"], rows));
}
