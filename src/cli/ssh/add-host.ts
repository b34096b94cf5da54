import { namedPlace, placeHost } from "../../applications/ssh/edit-host.ts";
import type { Host, readTarget } from "../../applications/ssh/host.ts";
import { SSHD_CONFIG } from "../../applications/ssh/server-files.ts";
import { editEntries, readEntries } from "../../client/catalog.ts";
import { type Client, memberSelf } from "../../client/client.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { fetchHostKey, resolveTarget } from "./ask-ssh.ts";
import { dueKeys } from "./due-keys.ts";
import type { HostState } from "./host-state.ts";
import { bringOne, note, readHosts } from "./in-step.ts";
import type { Reach } from "./reach.ts";
import { tried } from "./tried.ts";

/** What a person said of a server to add; `hostKey` is a fingerprint that she read on it, `managed` where its sshd_config is, if it is to be a managed one. */
export type Wanted = { readonly typed: ReturnType<typeof readTarget>; readonly name?: string | undefined; readonly hostKey?: string | undefined; readonly managed?: Pick<Host, "sshdConfig"> | undefined };

/**
 * Adds a server, or brings one in step that is there: its entry is durable before anything on it changes, so that no key stands where nobody would take it away again. Then this device tries to log in.
 * @throws MeshError as `editRemote`, `placeHost` and `dueKeys`
 */
export async function addHost(client: Client, reach: Reach, { hostKey, managed, name: wanted, typed }: Wanted): Promise<HostState> {
  const due = await dueKeys(client);
  // Whoever types the name of one that is known means that one, whatever her ssh makes of it.
  const named = typed.user === undefined && typed.port === undefined ? (await readHosts(client)).find((one) => one.name === typed.host) : undefined;
  const place = named === undefined ? await resolveTarget(typed, reach.environment) : { host: named.host, port: named.port, user: named.user, typed: named.typed };
  const { address } = await memberSelf(client);
  const { known, name } = namedPlace(await readEntries(client, "ssh"), place, wanted);
  const pinned = hostKey === undefined ? undefined : await fetchHostKey(place, { fingerprint: hostKey }, reach.environment);
  demand(hostKey === undefined || pinned !== undefined, "ssh-host-key-changed", `${place.host} does not show the host key ${hostKey ?? ""}, or cannot be reached from here.`, "Read the fingerprint on the server itself, and do not log in until it is the same.");
  const hostKeys = pinned === undefined ? (known?.hostKeys ?? []) : [pinned];
  let id = "";
  const keep = (): Promise<void> => editEntries(client, "ssh", (entries) => {
    const made = placeHost(entries, place, wanted, address, managed);
    id = made.id;
    return made.change === undefined ? [] : [made.change];
  });
  const toBring = { ...place, name, way: managed === undefined ? (known?.way ?? "plain") : "managed", sshdConfig: managed?.sshdConfig ?? known?.sshdConfig ?? SSHD_CONFIG, block: known?.block ?? address, hostKeys, applied: known?.applied };
  const brought = await bringOne(client, toBring, due, reach, "write", keep);
  await note(client, [{ ...brought, id, hostKey: pinned ?? brought.hostKey }]);
  return tried(client, toBring, brought.state, due, reach);
}
