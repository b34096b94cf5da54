import { isAfter, isSame } from "../../profiles/version.ts";
import { ED25519, ed25519Blob, keyLine } from "./public-key.ts";
import { revocationList } from "./revocation-list.ts";
import type { ServerTrust, TrustVersion } from "./server-trust.ts";

/** Where sshd's own configuration is, unless it is said. */
export const SSHD_CONFIG = "/etc/ssh/sshd_config";

/** The files of a managed server, by the path of its sshd_config (docs/spec/ssh.md 6). */
export function serverPaths(config: string = SSHD_CONFIG) {
  const beside = config.slice(0, config.lastIndexOf("/"));
  const folder = `${beside}/mesh`;
  return {
    config,
    folder,
    authorities: `${folder}/authorities`,
    revoked: `${folder}/revoked`,
    state: `${folder}/state`,
    hostCertificate: `${folder}/host-cert.pub`,
    principals: `${folder}/principals`,
    dropIn: `${beside}/sshd_config.d/mesh.conf`,
  } as const;
}

/** `TrustedUserCAKeys`: a line for each authority, with its device. */
export function authoritiesFile({ authorities }: Pick<ServerTrust, "authorities">): string {
  return authorities.map(({ device, key }) => `${keyLine({ kind: ED25519, blob: ed25519Blob(key) }, device)}\n`).join("");
}

/** `AuthorizedPrincipalsFile` of an account: the person's Master Profile, by its identifier. */
export function principalsFile({ principal }: Pick<ServerTrust, "principal">): string {
  return `${principal}\n`;
}

/**
 * `RevokedKeys`: the keys of authorities that are none any more, and every certificate of a device that is out, by its name.
 *
 * It has neither number nor time, so that it changes only with what it says. Even if nothing is revoked it is a list: without one sshd refuses everybody.
 */
export function revokedFile({ revokedAuthorities, revokedDevices }: Pick<ServerTrust, "revokedAuthorities" | "revokedDevices">): Uint8Array {
  return revocationList({ certificates: [], keyIds: revokedDevices, keys: revokedAuthorities.map(ed25519Blob) }, 0n, 0);
}

/** The line that says whose these files are, and as of which state; written last. */
export function stateFile({ asOf, principal }: Pick<ServerTrust, "asOf" | "principal">): string {
  return `${principal} ${showTrustVersion(asOf)}\n`;
}

const STATE = /^([A-Z0-9-]{1,80}) ((?:0|[1-9]\d{0,14})\.(?:0|[1-9]\d{0,14})\.(?:0|[1-9]\d{0,14}))\n?$/;

/** Reads that line; undefined for what is none. */
export function readState(text: string): { readonly principal: string; readonly asOf: TrustVersion } | undefined {
  const [, principal = "", said] = STATE.exec(text) ?? [];
  if (said === undefined) return undefined;
  const [g = 0, n = 0, suspensions = 0] = said.split(".").map(Number);
  return { principal, asOf: { g, n, suspensions } };
}

/** A state as it is written: `<g>.<n>.<suspensions>`. */
export function showTrustVersion({ g, n, suspensions }: TrustVersion): string {
  return `${g}.${n}.${suspensions}`;
}

/** Whether a state is earlier than another, so that what is of it never takes the place of what is of the other. */
export function isEarlier(a: TrustVersion, b: TrustVersion): boolean {
  return isAfter(b, a) || (isSame(a, b) && a.suspensions < b.suspensions);
}

/**
 * What sshd reads beside its own configuration: for these accounts alone, so that nothing of ours stands in another's way.
 * @param hostCertificate whether there is one
 */
export function dropInFile(accounts: readonly string[], hostCertificate: boolean, config?: string): string {
  const paths = serverPaths(config);
  const forAccounts = [`Match User ${accounts.toSorted().join(",")}`, ...[`TrustedUserCAKeys ${paths.authorities}`, `AuthorizedPrincipalsFile ${paths.principals}/%u`, `RevokedKeys ${paths.revoked}`, "ExposeAuthInfo yes"].map((line) => `  ${line}`)];
  const lines = ["# Written by mesh; what you change here is lost. `mesh ssh host remove` takes it away.", ...(hostCertificate ? [`HostCertificate ${paths.hostCertificate}`] : []), ...(accounts.length === 0 ? [] : forAccounts)];
  return `${lines.join("\n")}\n`;
}
