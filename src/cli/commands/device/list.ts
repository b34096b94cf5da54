import { listDevices } from "../../../client/devices.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { trySync } from "../../try-sync.ts";

/** `mesh device list`: your devices, as this one knows them. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "online");
  await trySync(call, client);
  const devices = await listDevices(client);
  const { table } = call.output;
  call.output.data(devices, table(["DEVICE", "ROLE", "STATUS"], devices.map((device) => [device.this ? `${device.name} (this one)` : device.name, device.roles.join(", "), device.status])));
}
