import { setUpApplication } from "../../../client/operations/set-up-application.ts";
import type { Call } from "../../call.ts";
import { counted } from "../../counted.ts";
import { openClient } from "../../open-client.ts";
import { tendAndSend } from "../../ssh/certificates.ts";
import { deviceKeys } from "../../ssh/device-keys.ts";

/** `mesh ssh setup`: { made, keys: [ { device, key, fingerprint, this } ] }; done before, it changes nothing. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "online");
  const made = await setUpApplication(client, "ssh");
  await tendAndSend(client);
  const keys = await deviceKeys(client);
  const said = `${counted(keys.length, "device")} ${keys.length === 1 ? "has" : "have"} a key for SSH${made ? " now" : " already"}.`;
  call.output.receipt({ made, keys }, `${said} See them: mesh ssh keys`);
}
