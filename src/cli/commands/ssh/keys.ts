import { deviceNamed, listDevices } from "../../../client/devices.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { deviceKeys } from "../../ssh/device-keys.ts";

/** `mesh ssh keys [DEVICE]`: [ { device, key, fingerprint, this } ]; as text the lines alone, so that they can go into a file. Works offline. */
export async function run({ args, output, ...call }: Call): Promise<void> {
  const client = await openClient({ args, output, ...call }, "offline");
  const wanted = args.text("DEVICE");
  const named = wanted === undefined ? undefined : deviceNamed(await listDevices(client), wanted).name;
  const keys = (await deviceKeys(client)).filter((one) => named === undefined || one.device === named);
  demand(named === undefined || keys.length > 0, "share-missing", `${named ?? ""} has no key for SSH that counts.`, "Run `mesh sync` on an administration device, then here; a device that is disabled or suspended has none.");
  output.data(keys, keys.map((one) => one.key).join("\n"));
}
