import { hostname } from "node:os";

import { createMesh } from "../../client/operations/create.ts";
import { parseAddress } from "../../udf/sin.ts";
import type { Call } from "../call.ts";
import { openFirstClient } from "../new-client.ts";
import { portalOf } from "../where.ts";

/** `mesh create ADDRESS`: makes a mesh with this device as its first. Cut off, the same command goes on. */
export async function run(call: Call): Promise<void> {
  const { args, output, input } = call;
  const { address, domain } = parseAddress(args.needText("ADDRESS"));
  const portal = await portalOf(domain, args.text("portal"));
  const { client, master } = await openFirstClient(call);
  const invitation = await input.secretFile("invitation-file");
  const created = await createMesh(client, master, { address, portal, deviceName: args.text("device-name") ?? hostname(), ...(invitation === undefined ? {} : { invitation }) });
  output.receipt(created, `${created.address} is yours, on ${created.device.name}.\n\nOn your next device:  mesh join ${created.address} --portal '${portal.url}${portal.pin === undefined ? "" : `#${portal.pin}`}'\nYour first password:  mesh password add NAME --generate`);
}
