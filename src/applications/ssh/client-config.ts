import type { Host } from "./host.ts";

/** Files on this device that its ssh is told of. */
export type ClientFiles = {
  readonly knownHosts: string;
  /** The public key of this device, by which ssh tells the agent's keys apart; undefined if it has none yet. */
  readonly identity: string | undefined;
  /** Its certificates, for managed servers. */
  readonly certificates?: readonly string[];
  /** The socket of the agent; undefined where there can be none. */
  readonly agent: string | undefined;
};

/**
 * The ssh_config(5) by which `ssh NAME` works for each server.
 *
 * Only this device's key is offered, to managed servers by its certificates first, by its agent alone; where that is not running, ssh does what it did before.
 */
export function clientConfig(hosts: readonly Host[], files: ClientFiles): string {
  const blocks = hosts.map(({ name, host, port, user, hostKeys }) => {
    const known = hostKeys.length === 0 ? [] : [`HostKeyAlias ${name}`, `UserKnownHostsFile ${configWord(files.knownHosts)}`, "StrictHostKeyChecking yes", "UpdateHostKeys no"];
    return [`Host ${name}`, ...[`HostName ${host}`, `Port ${port}`, `User ${user}`, ...known].map((line) => `  ${line}`)].join("\n");
  });
  const { agent, certificates = [], identity } = files;
  const offered = (["plain", "managed"] as const).flatMap((way) => {
    const names = hosts.filter((one) => one.way === way).map((one) => one.name).join(",");
    if (names === "" || identity === undefined || agent === undefined) return [];
    const shown = way === "managed" ? certificates.map((path) => `CertificateFile ${configWord(path)}`) : [];
    return [[`Match originalhost ${names} exec "test -S '${agent}'"`, ...[`IdentityAgent ${configWord(agent)}`, `IdentityFile ${configWord(identity)}`, ...shown, "IdentitiesOnly yes"].map((line) => `  ${line}`)].join("\n")];
  });
  return `# Written by mesh from what your devices know of your servers; what you change here is lost.\n${[...blocks, ...offered].map((block) => `\n${block}\n`).join("")}`;
}

/** Whether ssh can be told of a path: one with a quote, a backslash, a pattern or a control character it reads otherwise than it is. */
export function isTellable(path: string): boolean {
  return !/["'\\$%*?[\]\p{Cc}]/u.test(path);
}

/** A path as a word of ssh_config, or of a value of its option `-o`. */
export function configWord(path: string): string {
  return `"${path}"`;
}

/** A person's ssh_config with the line that includes ours before all else, since for ssh the first word counts; the same once more changes nothing. */
export function withInclude(text: string, path: string): string {
  const line = includeLine(path);
  return text === line || text.startsWith(`${line}\n`) ? text : `${line}\n${withoutInclude(text, path)}`;
}

/** A person's ssh_config without that line. */
export function withoutInclude(text: string, path: string): string {
  const line = includeLine(path);
  return text.split(/(?<=\n)/).filter((one) => one.trim() !== line).join("");
}

function includeLine(path: string): string {
  return `Include ${configWord(path)}`;
}
