import { MeshError } from "../../refusals/mesh-error.ts";
import type { Host } from "./host.ts";
import { type Known, knownName } from "./known.ts";
import { fingerprintOf, keyLine, type PublicKey, readKeyLine } from "./public-key.ts";

/** The lines of a known_hosts (sshd(8)) by which ssh knows servers under the names that they have here; one that is certified, by a certificate of these authorities too. */
export function knownHosts(hosts: readonly (Pick<Host, "name" | "hostKeys"> & Partial<Pick<Host, "applied">>)[], authorities: readonly PublicKey[] = []): string {
  return hosts.flatMap(({ applied, hostKeys, name }) => {
    const certified = applied?.certified === undefined ? [] : authorities.map((key) => `@cert-authority ${name} ${keyLine(key)}\n`);
    return [...certified, ...hostKeys.map((key) => `${name} ${keyLine(key)}\n`)];
  }).join("");
}

/** The known_hosts of all devices: what one of them confirmed, and the servers by their addresses. */
export function commonKnownHosts(knowns: readonly Known[], hosts: readonly Pick<Host, "host" | "port" | "hostKeys">[]): string {
  const lines = [...knowns.flatMap(({ host, keys }) => keys.map((key) => `${host} ${keyLine(key)}\n`)), ...hosts.flatMap(({ host, hostKeys, port }) => hostKeys.map((key) => `${knownName(host, port)} ${keyLine(key)}\n`))];
  return [...new Set(lines)].join("");
}

/** The keys that ssh-keyscan printed, those of one fingerprint alone. */
export function keysIn(printed: string, fingerprint: string): readonly PublicKey[] {
  const keys = printed.split("\n").filter((line) => !line.startsWith("#")).flatMap((line): readonly PublicKey[] => {
    try {
      const { kind, blob } = readKeyLine(line.replace(/^\S+\s+/, ""));
      return fingerprintOf(blob) === fingerprint ? [{ kind, blob }] : [];
    } catch (error) {
      if (error instanceof MeshError) return [];
      throw error;
    }
  });
  return keys.slice(0, 1);
}

/** What ssh-keyscan calls a kind of key; undefined for one that it does not know. */
export function scanKind(kind: string): string | undefined {
  if (kind === "ssh-ed25519") return "ed25519";
  if (kind.startsWith("ecdsa-sha2-")) return "ecdsa";
  return kind === "ssh-rsa" || kind.startsWith("rsa-sha2-") ? "rsa" : undefined;
}
