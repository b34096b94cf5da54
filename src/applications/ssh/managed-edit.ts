import { concatBytes } from "../../bytes/equal.ts";
import { utf8 } from "../../bytes/text.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { maxAuthorizedKeys } from "./authorized-keys.ts";
import { script } from "./managed-script.ts";
import { type PublicKey, readKeyLine } from "./public-key.ts";
import { digestOf, fromLatin1, type Summed } from "./remote-edit.ts";
import { readState } from "./server-files.ts";
import type { TrustVersion } from "./server-trust.ts";

/** The files of ours on a server, in the order in which they are sent. */
export const managedFiles = ["principals", "authorities", "revoked", "host-certificate", "state", "drop-in"] as const;
export type ManagedFile = (typeof managedFiles)[number];

/** What a server said of itself. */
export type ManagedServer = {
  /** By what digests are made there; of what is there in all, and of each file that is. */
  readonly by: Summed;
  readonly digest: string;
  readonly files: Readonly<Partial<Record<ManagedFile, string>>>;
  /** Whose files these are, as of which state; undefined where there are none yet. */
  readonly state: { readonly principal: string; readonly asOf: TrustVersion } | undefined;
  /** The accounts that certificates get into. */
  readonly accounts: readonly string[];
  /** Its public host keys, and what it shows as the certificate of one. */
  readonly hostKeys: readonly PublicKey[];
  readonly hostCertificate: string | undefined;
  /** What its sshd does for the account, by the names of `sshd -T`. */
  readonly settings: Readonly<Record<string, string>>;
  /** The account's authorized_keys, octet for octet a character. */
  readonly authorizedKeys: string;
};

/** The most octets that are taken from a server. */
export const maxManagedSaid = maxAuthorizedKeys + 256 * 1024;

/**
 * The command that a server is to run: as root, or as whoever owns that sshd, else by `sudo` without a password.
 * @param word marks what is ours of what the server says: letters and digits
 * @param config the path of its sshd_config
 */
export function managedCommand(word: string, config: string, account: string): string {
  return `sh -c '${launcher}' mesh ${word} ${config} ${account} '${script}'`;
}

const launcher = [
  'if [ "$(id -u)" = 0 ] || [ -w "$(dirname "$2")" ]; then exec sh -c "$4" mesh "$1" "$2" "$3"; fi;',
  'if sudo -n sh -c : >/dev/null 2>&1; then exec sudo -n sh -c "$4" mesh "$1" "$2" "$3"; fi;',
  'echo "mesh-$1 failed root"; exit 1',
].join(" ");

/**
 * Reads what the server said so far; undefined while it has not said all.
 * @throws MeshError `ssh-host-failed`, `ssh-host-not-root`
 */
export function readManaged(said: Uint8Array, word: string): ManagedServer | undefined {
  const text = fromLatin1(said);
  checkFailed(text, word);
  const end = new RegExp(`\nmesh-${word} read (sha256|cksum) ([0-9a-f]{1,64})\n`).exec(text);
  if (end === null) return undefined;
  const [head = "", keys = ""] = text.slice(0, end.index).split(`mesh-${word} keys\n`);
  const lines = head.split("\n").flatMap((line) => (line.startsWith(`mesh-${word} `) ? [line.slice(word.length + 6)] : []));
  const valuesOf = (name: string): readonly string[] => lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  const pairs = (name: string): readonly (readonly [string, string])[] => valuesOf(name).map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);
  return {
    by: end[1] as Summed,
    digest: end[2] ?? "",
    files: Object.fromEntries(pairs("file")),
    state: readState(valuesOf("state")[0] ?? ""),
    accounts: valuesOf("account"),
    hostKeys: valuesOf("key").flatMap(keyOrNone),
    hostCertificate: valuesOf("certificate")[0],
    settings: Object.fromEntries(pairs("has")),
    authorizedKeys: keys,
  };
}

/** What a server is told so that these files take the place of those that were read; an empty one is to be gone, and without a drop-in all are. */
export function managedRequest({ by, digest }: ManagedServer, files: Readonly<Record<ManagedFile, Uint8Array>>): Uint8Array {
  const all = concatBytes(...managedFiles.map((name) => files[name]));
  return concatBytes(utf8(`write ${digestOf(all, by)} ${digest} ${managedFiles.map((name) => files[name].length).join(" ")}\n`), all);
}

/** What came of that; throws as `readManaged` unless it is done, or where the server did not say, when it may be. */
export function checkManaged(said: Uint8Array, word: string): void {
  const text = fromLatin1(said);
  checkFailed(text, word);
  if (!text.includes(`\nmesh-${word} done\n`)) throw new MeshError("ssh-host-failed", "The server was not heard of again after it was told what to write; what it has is the old or the new, and holds either way.", "Try again.");
}

const because: Readonly<Record<string, string>> = {
  config: "The server has no sshd_config at that place.",
  sshd: "The server has no program sshd where one looks for it.",
  broken: "The configuration of sshd on the server does not pass its own check (sshd -t) as it is: it would not start again.",
  write: "The server cannot write beside its sshd_config: its disk is full, or read-only.",
  incomplete: "What was sent to the server did not come whole: its disk is full, or the connection broke.",
  changed: "Somebody changed our files on the server at the same time.",
  refused: "The server's sshd does not take what it was to be told (sshd -t); it is as it was.",
  include: "The server's sshd does not read the folder sshd_config.d beside its sshd_config; it is as it was.",
  reload: "The server's sshd could not be told to read its configuration again; it is as it was.",
};

const hints: Readonly<Record<string, string>> = {
  config: "Say where it is: --sshd-config /path/of/sshd_config",
  include: "Put the line `Include /etc/ssh/sshd_config.d/*.conf` first in sshd_config (OpenSSH 8.2 or newer), or leave --managed out.",
};

function checkFailed(text: string, word: string): void {
  const [, why] = new RegExp(`(?:^|\n)mesh-${word} failed ([a-z-]+)\n`).exec(text) ?? [];
  if (why === undefined) return;
  if (why === "root") throw new MeshError("ssh-host-not-root", "This account is neither root on the server, nor becomes root by `sudo` without a password.", "Nothing was changed. Log in as one that does, or leave --managed out: a plain server needs no root.");
  throw new MeshError("ssh-host-failed", because[why] ?? "The server could not do what it was asked.", hints[why] ?? "Mend that and try again.");
}

function keyOrNone(line: string): readonly PublicKey[] {
  try {
    const { blob, kind } = readKeyLine(line);
    return [{ blob, kind }];
  } catch (error) {
    if (error instanceof MeshError) return [];
    throw error;
  }
}
