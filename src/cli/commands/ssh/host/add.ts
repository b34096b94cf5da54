import { findHost, fingerprintForm, isSshdConfig, readTarget } from "../../../../applications/ssh/host.ts";
import { fingerprintOf } from "../../../../applications/ssh/public-key.ts";
import { SSHD_CONFIG } from "../../../../applications/ssh/server-files.ts";
import { sync } from "../../../../client/sync.ts";
import { demand } from "../../../../refusals/mesh-error.ts";
import type { Call } from "../../../call.ts";
import { counted } from "../../../counted.ts";
import { addHost } from "../../../ssh/add-host.ts";
import { dueKeys } from "../../../ssh/due-keys.ts";
import { tendCertificates } from "../../../ssh/certificates.ts";
import { writeFiles } from "../../../ssh/files.ts";
import { readHosts } from "../../../ssh/in-step.ts";
import { openReach } from "../../../ssh/open.ts";
import { trySync } from "../../../try-sync.ts";

/** `mesh ssh host add`: { id, name, host, port, user, way, hostKey, state, others, sync }; the same once more changes nothing. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const typed = readTarget(args.needText("TARGET"));
  const hostKey = args.text("host-key");
  demand(hostKey === undefined || (fingerprintForm.test(hostKey) && hostKey.startsWith("SHA256:")), "usage-option-value", "--host-key takes a fingerprint as ssh-keygen -l shows it: SHA256:...");
  const sshdConfig = args.text("sshd-config");
  demand(sshdConfig === undefined || (args.flag("managed") && isSshdConfig(sshdConfig)), "usage-option-value", "--sshd-config is the path of an sshd_config, and goes with --managed.");
  const managed = args.flag("managed") ? { sshdConfig: sshdConfig ?? SSHD_CONFIG } : undefined;
  const { client, asking } = await openReach(call, "online");
  await sync(client);
  await tendCertificates(client);
  const state = await addHost(client, asking, { typed, name: args.text("name"), hostKey, managed });
  const hosts = await readHosts(client);
  await writeFiles(client, asking, hosts);
  const sent = await trySync(call, client);
  const { host, id, name, port, user, hostKeys, way } = findHost(hosts, state.name);
  const { keys } = await dueKeys(client);
  const key = hostKeys[0];
  const shown = key === undefined ? null : { kind: key.kind, fingerprint: fingerprintOf(key.blob) };
  const known = shown === null ? " Your ssh decides whether its host key is right: it could not be fetched to be remembered." : ` It is known by its host key ${shown.fingerprint} from now on.`;
  const said = `${name} lets in ${counted(keys.length, "device")}: ${keys.map((one) => one.device).join(", ")}.${known}${othersText(state.others.length)} To log in by its name: mesh ssh config, once on each device.`;
  output.receipt({ id, name, host, port, user, way, hostKey: shown, state: state.state, others: state.others, sync: sent ? "sent" : "later" }, said);
  if (state.trouble !== undefined) throw state.trouble;
}

function othersText(others: number): string {
  return others === 0 ? "" : ` ${counted(others, "other line")} in its authorized_keys ${others === 1 ? "lets" : "let"} somebody in, and ${others === 1 ? "is" : "are"} left alone.`;
}
