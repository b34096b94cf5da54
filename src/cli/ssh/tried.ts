import { ed25519Of, readKeyLine } from "../../applications/ssh/public-key.ts";
import type { Client } from "../../client/client.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { DueKeys } from "./due-keys.ts";
import type { HostState, ToBring } from "./host-state.ts";
import { ownCertificates } from "./own-certificates.ts";
import { isLetIn, type Reach } from "./reach.ts";

/** The state of a server that is in step, once this device has tried to log in by its own key alone: `failed` with `ssh-host-ignores` where it is not let in. Without a running agent it is not tried. */
export async function tried(client: Client, host: ToBring, state: HostState, due: DueKeys, reach: Reach): Promise<HostState> {
  const isDone = state.state === "in-step" || state.state === "brought-in-step";
  return isDone && (await isIgnored(client, host, due, reach)) ? { ...state, state: "failed", trouble: ignored(host) } : state;
}

async function isIgnored(client: Client, host: ToBring, { keys }: DueKeys, reach: Reach): Promise<boolean> {
  const own = keys.find((one) => one.this);
  if (own === undefined) return false;
  const isShown = host.way === "plain" || (await ownCertificates(client, ed25519Of(readKeyLine(own.key).blob) ?? new Uint8Array(0))).length > 0;
  return isShown && (await isLetIn(reach, host, own.fingerprint)) === false;
}

function ignored({ name, way }: ToBring): MeshError {
  const where = way === "plain" ? "look for keys elsewhere (`sshd -T | grep authorizedkeys` there), or distrust a folder that others may write (there: chmod go-w ~ ~/.ssh)" : "let in some accounts only (AllowUsers, AllowGroups, PermitRootLogin in its sshd_config)";
  return new MeshError("ssh-host-ignores", `${name} has what lets your devices in, and does not let this one in by it.`, `Its sshd may ${where}. Then: mesh ssh check`);
}
