import { ED25519, ed25519Blob, fingerprintOf, keyLine } from "../../applications/ssh/public-key.ts";
import { fromBase64url } from "../../bytes/base64url.ts";
import { catalogOf } from "../../client/catalog.ts";
import type { Client } from "../../client/client.ts";
import { listDevices } from "../../client/devices.ts";
import { sharesOf } from "../../client/shares.ts";

/** A device's key for SSH: the line that a server takes, and what people compare. */
export type DeviceKey = { readonly device: string; readonly key: string; readonly fingerprint: string; readonly this: boolean };

/** The keys of the devices that may log in now, neither disabled nor suspended, in the order in which devices are listed. */
export async function deviceKeys(client: Client): Promise<readonly DeviceKey[]> {
  const row = await client.rows.read(async (rows) => sharesOf(rows, await catalogOf(rows, "ssh")));
  const devices = (await listDevices(client)).filter((device) => device.status === "active");
  return devices.flatMap((device) => {
    const share = row?.shares.find((one) => one.device === device.fingerprint);
    if (share === undefined) return [];
    const blob = ed25519Blob(fromBase64url(share.pub));
    return [{ device: device.name, key: keyLine({ blob, kind: ED25519 }, device.name), fingerprint: fingerprintOf(blob), this: device.this }];
  });
}
