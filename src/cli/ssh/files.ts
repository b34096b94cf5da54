import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { clientConfig, isTellable, withInclude, withoutInclude } from "../../applications/ssh/client-config.ts";
import { ED25519_CERTIFICATE } from "../../applications/ssh/certificate.ts";
import type { Host } from "../../applications/ssh/host.ts";
import { knownsOf } from "../../applications/ssh/known.ts";
import { commonKnownHosts, knownHosts } from "../../applications/ssh/known-hosts.ts";
import { ED25519, ed25519Blob, ed25519Of, keyLine, readKeyLine } from "../../applications/ssh/public-key.ts";
import { sectionsOf } from "../../applications/ssh/section.ts";
import { readEntries } from "../../client/catalog.ts";
import type { Client } from "../../client/client.ts";
import { replaceFile } from "../../machine/replace-file.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { agentSocket } from "./agent-socket.ts";
import { deviceKeys } from "./device-keys.ts";
import { ownCertificates } from "./own-certificates.ts";
import { ownBlocks, ownFolder } from "./own-config.ts";
import { filesIn, type Reach } from "./reach.ts";
import { takingOf } from "./taking.ts";
import { trustNow } from "./trust.ts";

/** The files of this device's ssh as they are to be, by their paths. */
export async function dueFiles(client: Client, reach: Pick<Reach, "home" | "environment">, hosts: readonly Host[]): Promise<Readonly<Record<string, string>>> {
  const own = (await deviceKeys(client)).find((key) => key.this);
  const files = filesIn(reach.home);
  const certificates = own === undefined ? [] : (await ownCertificates(client, ed25519Of(readKeyLine(own.key).blob) ?? new Uint8Array(0))).map((blob, at): [string, string] => [files.certificate(at + 1), `${keyLine({ kind: ED25519_CERTIFICATE, blob })}\n`]);
  const authorities = hosts.some((one) => one.applied?.certified !== undefined) ? (await trustNow(client)).authorities.map(({ key }) => ({ kind: ED25519, blob: ed25519Blob(key) })) : [];
  const entries = await readEntries(client, "ssh");
  const taking = await takingOf(client);
  // What a person says in a file of her own goes before what another device said, though ours is read first.
  const hers = new Set(ownBlocks({ folder: taking?.folder ?? ownFolder(), config: taking?.config ?? undefined, ours: files.config }).flatMap((one) => one.names));
  const sections = sectionsOf(entries).filter((one) => !hers.has(one.name));
  const config = clientConfig(hosts, { knownHosts: files.knownHosts, identity: own === undefined ? undefined : files.identity, certificates: certificates.map(([path]) => path), agent: agentSocket(reach), common: files.common, taking: taking !== undefined }, sections);
  return { [files.knownHosts]: knownHosts(hosts, authorities), [files.common]: commonKnownHosts(knownsOf(entries), hosts), ...Object.fromEntries(certificates), [files.config]: config, ...(own === undefined ? {} : { [files.identity]: `${own.key}\n` }) };
}

/** Writes them where they differ; `only-kept` leaves a device alone that has none. */
export async function writeFiles(client: Client, reach: Pick<Reach, "home" | "environment">, hosts: readonly Host[], which?: "only-kept"): Promise<void> {
  const { home } = reach;
  const { config, folder } = filesIn(home);
  if (which === "only-kept" && !existsSync(config)) return;
  demand(isTellable(home), "ssh-config-untouched", `ssh does not take the path of this home: ${home}`, "Choose one of letters, digits, dashes and slashes.");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [path, content] of Object.entries(await dueFiles(client, reach, hosts))) if (textOf(path) !== content) onDisk(path, () => replaceFile(path, content));
}

/** The file in which ssh looks for a person's own configuration: by her account, whatever HOME says. */
export function ownConfig(): string {
  return join(ownFolder(), "config");
}

/** What a person's own configuration is to be, and whether it is so; it is followed where it is a link. */
export function includeIn(path: string, home: string, undo: boolean): { readonly path: string; readonly text: string; readonly isSo: boolean } {
  const before = textOf(path);
  const { config } = filesIn(home);
  const text = undo ? withoutInclude(before ?? "", config) : withInclude(before ?? "", config);
  return { path: before === undefined ? path : realpathSync(path), text, isSo: text === (before ?? "") };
}

/** Writes it, with the mode it had; one that holds nothing more is taken away. */
export function writeOwnConfig(path: string, text: string): void {
  onDisk(path, () => {
    if (text === "") return rmSync(path, { force: true });
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    replaceFile(path, Buffer.from(text, "latin1"), existsSync(path) ? statSync(path).mode & 0o777 : 0o600);
  });
}

/** Octet for octet a character, so that what is not ours stays as it is. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new MeshError("ssh-config-untouched", `${path} cannot be read (${code ?? "unknown"}).`);
  }
}

function onDisk(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new MeshError("ssh-config-untouched", `${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`, "It is as it was.");
  }
}
