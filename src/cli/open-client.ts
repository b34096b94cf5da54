import { alarmOf } from "../client/alarms.ts";
import { type Client, type ClientParts, makeClient } from "../client/client.ts";
import type { Call } from "./call.ts";
import { type Home, openHome } from "./home.ts";
import { standBack } from "./stand-back.ts";

/** Opens the home and makes a client of it; "offline" spares loading what calls the portal. An alarm that is kept there is told first. */
export async function openClient(call: Call, use: "offline" | "online"): Promise<Client> {
  const client = await clientOf(await openHome(call), call, use);
  const alarm = await client.rows.read(alarmOf);
  if (alarm !== undefined) call.output.note((await import("./alarm-text.ts")).alarmText(alarm, "mesh sync"));
  return client;
}

/** Makes a client of a home that is open; its connections end with the command. */
export async function clientOf(home: Home, call: Call, use: "offline" | "online"): Promise<Client> {
  const connect = use === "online" ? await connector(call) : () => {
    throw new TypeError("A command that said it would not call the portal did.");
  };
  return makeClient({ store: home.store, keyring: home.keyring, now: call.world.now, connect, standBack, masterKeyring: () => home.master(), ...(call.world.held === undefined ? {} : { memory: call.world.held.memory }), keepEvidence: async (evidence, kind) => (await import("./keep-evidence.ts")).keepEvidence(home.path, evidence, kind) });
}

async function connector(call: Call): Promise<ClientParts["connect"]> {
  const { openConnection } = await import("../http/call.ts");
  return (url, trust) => {
    const connection = openConnection(url, { trust });
    call.whenDone(() => connection.close());
    return connection;
  };
}
