import { deviceNamed, listDevices, renameDevice } from "../../../client/devices.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { trySync } from "../../try-sync.ts";

/** `mesh device rename NAME NEW-NAME`: another name for a device, on all of them. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const client = await openClient(call, "online");
  const device = deviceNamed(await listDevices(client), args.needText("NAME"));
  await renameDevice(client, device.fingerprint, args.needText("NEW-NAME"));
  await trySync(call, client);
  output.receipt({ name: args.needText("NEW-NAME"), fingerprint: device.fingerprint }, `${device.name} is called ${args.needText("NEW-NAME")} now.`);
}
