import { equalBytes } from "../../bytes/equal.ts";
import { utf8 } from "../../bytes/text.ts";
import { sha256 } from "../../crypto/digest.ts";
import { toBase64 } from "../../bytes/base64.ts";
import { randomBytes } from "../../crypto/random.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { type Authority, type Certificate, ED25519_CERTIFICATE, makeCertificate, readCertificate } from "./certificate.ts";
import { LIFETIME } from "./device-certificates.ts";
import type { Host } from "./host.ts";
import type { ManagedFile, ManagedServer } from "./managed-edit.ts";
import { ED25519, ed25519Blob, ed25519Of, fingerprintOf, keyLine, readKeyLine } from "./public-key.ts";
import { digestOf } from "./remote-edit.ts";
import { authoritiesFile, dropInFile, isEarlier, principalsFile, revokedFile, serverPaths, stateFile } from "./server-files.ts";
import type { ServerTrust } from "./server-trust.ts";

export type ManagedFiles = Readonly<Record<ManagedFile, Uint8Array>>;

const nothing = new Uint8Array(0);

/** What a server's lists are compared by: the fingerprint of each authority's key, and of the list of what is revoked; sorted. */
export function listFingerprints(trust: ServerTrust): readonly string[] {
  return [...authorityFingerprints(trust), revokedFingerprint(trust)].sort();
}

/** Those that a server lacks, by what it said. */
export function lackingLists(server: ManagedServer, trust: ServerTrust): readonly string[] {
  const is = (name: ManagedFile, content: Uint8Array): boolean => server.files[name] === digestOf(content, server.by);
  const takes = server.settings["trustedusercakeys"] !== "none" && is("principals", utf8(principalsFile(trust)));
  return [...(takes && is("authorities", utf8(authoritiesFile(trust))) ? [] : authorityFingerprints(trust)), ...(takes && is("revoked", revokedFile(trust)) ? [] : [revokedFingerprint(trust)])].sort();
}

/** The files that a server is to have so that certificates get into an account; `certificate` is that of its host key, as a line. */
export function filesFor(server: ManagedServer, trust: ServerTrust, { sshdConfig, user }: Pick<Host, "sshdConfig" | "user">, certificate: string | undefined): ManagedFiles {
  const accounts = [...new Set([...server.accounts, user])];
  return { principals: utf8(principalsFile(trust)), authorities: utf8(authoritiesFile(trust)), revoked: revokedFile(trust), "host-certificate": utf8(certificate === undefined ? "" : `${certificate}\n`), state: utf8(stateFile(trust)), "drop-in": utf8(dropInFile(accounts, certificate !== undefined, sshdConfig)) };
}

/** The files that it is to have so that none gets into this account any more; none at all if there is no other. */
export function filesWithout(server: ManagedServer, trust: ServerTrust, { sshdConfig, user }: Pick<Host, "sshdConfig" | "user">): ManagedFiles {
  const accounts = server.accounts.filter((one) => one !== user);
  const none = { principals: nothing, authorities: nothing, revoked: nothing, "host-certificate": nothing, state: nothing, "drop-in": nothing };
  return accounts.length === 0 ? none : { ...none, state: utf8(stateFile(trust)), "drop-in": utf8(dropInFile(accounts, server.hostCertificate !== undefined, sshdConfig)) };
}

/** Whether a server has these files already. */
export function hasFiles(server: ManagedServer, files: ManagedFiles): boolean {
  return Object.entries(files).every(([name, content]) => content.length === 0 || server.files[name as ManagedFile] === digestOf(content, server.by));
}

/**
 * Refuses to write over what is somebody else's, or of a later state, and where certificates would be of no use.
 * @throws MeshError `ssh-host-taken`, `ssh-host-ahead`, `ssh-host-failed`
 */
export function checkServer({ settings, state }: Pick<ManagedServer, "settings" | "state">, trust: ServerTrust, sshdConfig: string): void {
  const paths = serverPaths(sshdConfig);
  demand(state === undefined || state.principal === trust.principal, "ssh-host-taken", "This server is managed for another mesh.", "Nothing was changed. Leave --managed out: a plain server is for any number of people.");
  const ours: Readonly<Record<string, string>> = { trustedusercakeys: paths.authorities, revokedkeys: paths.revoked, authorizedprincipalsfile: `${paths.principals}/%u`, authorizedprincipalscommand: "none" };
  const taken = Object.entries(ours).find(([name, value]) => !["none", value].includes(settings[name] ?? "none"));
  demand(taken === undefined, "ssh-host-taken", `The sshd of this server has a ${taken?.[0]} of its own: ${settings[taken?.[0] ?? ""] ?? ""}`, "Nothing was changed. Ask whoever set it up, or leave --managed out.");
  const allows = (name: string, kind: string): boolean => settings[name] === undefined || settings[name].split(",").includes(kind);
  const useful = settings["pubkeyauthentication"] !== "no" && ["pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"].every((name) => allows(name, ED25519_CERTIFICATE)) && allows("casignaturealgorithms", ED25519);
  demand(useful, "ssh-host-failed", "The server's sshd is told not to take certificates of Ed25519.", "Nothing was changed. Allow them in its sshd_config (PubkeyAcceptedAlgorithms, CASignatureAlgorithms), or leave --managed out.");
  if (state !== undefined && isEarlier(trust.asOf, state.asOf)) throw new MeshError("ssh-host-ahead", "What stands on this server is of a later state of your mesh than this device knows.", "Run `mesh sync` here. If that changes nothing, your portal keeps things from this device, or somebody changed the files on the server: look at them.");
}

/** Refuses a server that has its drop-in and does not read it (`ssh-host-failed`): what else is written there would be of no use, and nobody would know. */
export function checkReads({ by, files, settings }: ManagedServer, due: ManagedFiles, sshdConfig: string): void {
  const reads = files["drop-in"] !== digestOf(due["drop-in"], by) || settings["trustedusercakeys"] === serverPaths(sshdConfig).authorities;
  demand(reads, "ssh-host-failed", "The server's sshd does not read the folder sshd_config.d beside its sshd_config any more.", "Put the line `Include /etc/ssh/sshd_config.d/*.conf` first in its sshd_config again.");
}

/** The certificate that a server shows of its host key, if it is one that devices believe; undefined else. */
export function hostCertificateOf(server: Pick<ManagedServer, "hostCertificate" | "hostKeys">, trust: ServerTrust, name: string, now: number): Certificate | undefined {
  try {
    const { blob, kind } = readKeyLine(server.hostCertificate ?? "");
    const read = kind === ED25519_CERTIFICATE ? readCertificate(blob) : undefined;
    const believed = read?.kind === "host" && read.principals.includes(name) && read.until > now && trust.authorities.some((one) => equalBytes(one.key, read.authority));
    return read !== undefined && believed && server.hostKeys.some((one) => equalBytes(one.blob, ed25519Blob(read.key))) ? read : undefined;
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}

/** Whether a certificate has less than half of its time left, or there is none. */
export function isDue(certificate: Pick<Certificate, "until"> | undefined, now: number): boolean {
  return certificate === undefined || certificate.until - now < LIFETIME / 2;
}

/**
 * Certifies a server's host key, under the name that it has among the devices; undefined where it has none of Ed25519 by which it is known.
 * @param known fingerprints of host keys that it showed on a connection that was let pass
 */
export async function certifyHost({ hostKeys }: Pick<ManagedServer, "hostKeys">, known: readonly string[], { host, name }: Pick<Host, "host" | "name">, authority: Authority, now: number): Promise<string | undefined> {
  const key = hostKeys.filter((one) => one.kind === ED25519 && known.includes(fingerprintOf(one.blob))).map((one) => ed25519Of(one.blob)).find((one) => one !== undefined);
  if (key === undefined) return undefined;
  const serial = new DataView(randomBytes(8).buffer).getBigUint64(0) | 1n;
  const blob = await makeCertificate({ key, kind: "host", serial, id: name, principals: [...new Set([name, host])], from: 0, until: now + LIFETIME }, authority);
  return keyLine({ kind: ED25519_CERTIFICATE, blob });
}

function authorityFingerprints({ authorities }: ServerTrust): readonly string[] {
  return authorities.map(({ key }) => fingerprintOf(ed25519Blob(key)));
}

function revokedFingerprint(trust: ServerTrust): string {
  return `SHA256:${toBase64(sha256(revokedFile(trust))).replace(/=+$/, "")}`;
}
