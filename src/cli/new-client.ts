import type { Client, Self } from "../client/client.ts";
import type { PortalLocation } from "../client/where.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { Call } from "./call.ts";
import { type Home, makeHome } from "./home.ts";
import { clientOf } from "./open-client.ts";

/** A client for a device that is beginning, or going on with what was cut off; `resumed` says where it had got to. */
export type NewClient = { readonly client: Client; readonly resumed: { readonly portal: PortalLocation } | undefined };

/** Makes the home of a new device, or opens the one in which `create` or `join` was begun (decision 11.1). */
export async function openNewClient(call: Call): Promise<NewClient> {
  return begin(call, await makeHome(call, () => newPassphrase(call)));
}

/** As `openNewClient`, with the sealed file for the Master and Recovery keys that a first device makes. */
export async function openFirstClient(call: Call): Promise<NewClient & { readonly master: Keyring }> {
  const home = await makeHome(call, () => newPassphrase(call));
  const master = await home.master("make");
  if (master === undefined) throw new TypeError("The file of the Master keys was not made.");
  return { ...(await begin(call, home)), master };
}

async function begin(call: Call, home: Home): Promise<NewClient> {
  const client = await clientOf(home, call, "online");
  const self = await client.rows.read((rows) => rows.get<Self>("self", "self"));
  return { client, resumed: self === undefined ? undefined : { portal: { url: self.portal.url, pin: self.portal.id } } };
}

async function newPassphrase({ args, input, output }: Call): Promise<string | undefined> {
  if (args.flag("no-passphrase")) {
    output.note("Without a passphrase, whoever reads this device's disk reads everything. `mesh passphrase change` sets one later.");
    return undefined;
  }
  return input.newSecret("passphrase-file", "A passphrase for this device");
}
