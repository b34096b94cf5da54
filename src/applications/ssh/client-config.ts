import type { Host } from "./host.ts";
import type { Section } from "./section.ts";

/** Files on this device that its ssh is told of. */
export type ClientFiles = {
  readonly knownHosts: string;
  /** The public key of this device, by which ssh tells the agent's keys apart; undefined if it has none yet. */
  readonly identity: string | undefined;
  /** Its certificates, for managed servers. */
  readonly certificates?: readonly string[];
  /** The socket of the agent; undefined where there can be none. */
  readonly agent: string | undefined;
  /** The known_hosts of all devices. */
  readonly common: string;
  /** Whether what ssh confirms here is taken over: then it must write the names of hosts so that they can be read. */
  readonly taking?: boolean;
};

/**
 * The ssh_config(5) by which `ssh NAME` works for each server.
 *
 * Only this device's key is offered, to managed servers by its certificates first, by its agent alone; where that is not running, ssh does what it did before.
 */
export function clientConfig(hosts: readonly Host[], files: ClientFiles, sections: readonly Section[] = []): string {
  const servers = hosts.map(({ name, host, port, user, hostKeys }) => {
    const known = hostKeys.length === 0 ? [] : [`HostKeyAlias ${name}`, `UserKnownHostsFile ${configWord(files.knownHosts)}`, "StrictHostKeyChecking yes", "UpdateHostKeys no"];
    return section(`Host ${name}`, [`HostName ${host}`, `Port ${port}`, `User ${user}`, ...known]);
  });
  const names = new Set(hosts.map((one) => one.name));
  const others = sections.filter((one) => !names.has(one.name)).map(({ name, host, jump, port, user }) => section(`Host ${name}`, [`HostName ${host}`, `Port ${port}`, `User ${user}`, ...(jump === undefined ? [] : [`ProxyJump ${jump}`])]));
  const { agent, certificates = [], identity } = files;
  const offered = (["plain", "managed"] as const).flatMap((way) => {
    const ofWay = hosts.filter((one) => one.way === way).map((one) => one.name).join(",");
    if (ofWay === "" || identity === undefined || agent === undefined) return [];
    const shown = way === "managed" ? certificates.map((path) => `CertificateFile ${configWord(path)}`) : [];
    return [section(`Match originalhost ${ofWay} exec "test -S '${agent}'"`, [`IdentityAgent ${configWord(agent)}`, `IdentityFile ${configWord(identity)}`, ...shown, "IdentitiesOnly yes"])];
  });
  // What ssh asks besides the person's own file: she goes on confirming into that.
  const common = section("Host *", [`GlobalKnownHostsFile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2 ${configWord(files.common)}`, ...(files.taking === true ? ["HashKnownHosts no"] : [])]);
  return `# Written by mesh from what your devices know of your servers; what you change here is lost.\n${[...servers, ...others, ...offered, common].map((block) => `\n${block}\n`).join("")}`;
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join("\n");
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
