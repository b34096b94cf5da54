import { withBlock } from "../../applications/ssh/authorized-keys.ts";
import { readBlock } from "../../applications/ssh/block.ts";
import type { Host } from "../../applications/ssh/host.ts";
import { checkManaged, managedCommand, managedRequest, type ManagedServer, maxManagedSaid, readManaged } from "../../applications/ssh/managed-edit.ts";
import { certifyHost, checkReads, checkServer, filesFor, filesWithout, hasFiles, hostCertificateOf, isDue, lackingLists } from "../../applications/ssh/managed-server.ts";
import { fingerprintOf } from "../../applications/ssh/public-key.ts";
import { showTrustVersion } from "../../applications/ssh/server-files.ts";
import type { ServerTrust } from "../../applications/ssh/server-trust.ts";
import type { Connection } from "../../applications/ssh/ssh-log.ts";
import type { Client } from "../../client/client.ts";
import type { DueKeys } from "./due-keys.ts";
import type { Seen, ToBring } from "./host-state.ts";
import { editRemote, exchange, type Reach } from "./reach.ts";
import { authorityOf } from "./trust.ts";

/** Brings a managed server in step, or only looks; `before` runs before anything on it changes. A block that it had as a plain one goes once certificates get in. */
export async function bringManaged(client: Client, host: ToBring, due: DueKeys, reach: Reach, how: "write" | "look", before?: () => Promise<void>): Promise<Seen> {
  const { trust } = due;
  let server: ManagedServer | undefined;
  let certified: number | undefined;
  let written = false;
  const now = Math.floor(client.now() / 1000);
  const met = await converse(reach, host, async (said, met) => {
    server = said;
    certified = hostCertificateOf(said, trust, host.name, now)?.until;
    if (how === "look") return undefined;
    checkServer(said, trust, host.sshdConfig);
    const line = await hostCertificate(client, said, trust, host, met, now);
    certified = hostCertificateOf({ ...said, hostCertificate: line }, trust, host.name, now)?.until;
    const files = filesFor(said, trust, host, line);
    checkReads(said, files, host.sshdConfig);
    await before?.();
    written = !hasFiles(said, files);
    return written ? managedRequest(said, files) : undefined;
  });
  if (server === undefined) throw new TypeError("A server was read without being looked at.");
  const found = readBlock(server.authorizedKeys, host.block);
  const [missing, surplus] = [lackingLists(server, trust), found.keys ?? []];
  if (how === "write" && found.keys !== undefined) {
    await editRemote(reach, host, async ({ text = "" }) => withBlock(text, host.block, []));
    written = true;
  }
  const inStep = how === "write" || missing.length === 0;
  return { found, met, written, missing, surplus, ...(certified === undefined ? {} : { certified }), keys: inStep ? due.lists : [], asOf: how === "write" || server.state === undefined ? showTrustVersion(trust.asOf) : showTrustVersion(server.state.asOf) };
}

/** Takes our files off a managed server, or an account out of them; `agree` is told how many lines of authorized_keys still let somebody in, and throws if that is not to be. Returns how many. */
export async function takeOffManaged(trust: ServerTrust, host: Host, reach: Reach, agree: (left: number) => Promise<void>): Promise<number> {
  let left = 0;
  await converse(reach, host, async (said) => {
    left = readBlock(said.authorizedKeys, host.block).others.length;
    if (said.state === undefined && said.files["drop-in"] === undefined) return undefined;
    checkServer({ settings: {}, state: said.state }, trust, host.sshdConfig);
    await agree(left);
    return managedRequest(said, filesWithout(said, trust, host));
  });
  return left;
}

function converse(reach: Reach, host: Pick<Host, "sshdConfig"> & ToBring, decide: (said: ManagedServer, met: Connection["met"]) => Promise<Uint8Array | undefined>): Promise<Connection["met"]> {
  return exchange(reach, host, { command: (word) => managedCommand(word, host.sshdConfig, host.user), most: maxManagedSaid, read: readManaged, check: checkManaged, decide });
}

/** The certificate that the server is to show: the one that it has while it is believed, else, or late in its time, a new one if this is an administration device. */
async function hostCertificate(client: Client, server: ManagedServer, trust: ServerTrust, host: ToBring, met: Connection["met"], now: number): Promise<string | undefined> {
  const has = hostCertificateOf(server, trust, host.name, now);
  const authority = isDue(has, now) ? await authorityOf(client, trust) : undefined;
  const known = [...host.hostKeys.map((one) => fingerprintOf(one.blob)), ...(met === undefined ? [] : [met.fingerprint])];
  const made = authority === undefined ? undefined : await certifyHost(server, known, host, authority, now);
  return made ?? (has === undefined ? undefined : server.hostCertificate);
}
