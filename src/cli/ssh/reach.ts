import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { configWord } from "../../applications/ssh/client-config.ts";
import type { Host } from "../../applications/ssh/host.ts";
import { knownHosts } from "../../applications/ssh/known-hosts.ts";
import { checkWritten, editCommand, fromLatin1, maxSaid, readRemote, type RemoteFile, writeRequest } from "../../applications/ssh/remote-edit.ts";
import { type Connection, readConnection } from "../../applications/ssh/ssh-log.ts";
import { randomBytes } from "../../crypto/random.ts";
import { converse, type Ended } from "../../machine/converse.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Environment } from "../world.ts";
import { agentSocket } from "./agent-socket.ts";

const DAY = 86_400_000;

/** By what servers are reached from here. */
export type Reach = {
  /** The home of this device. */
  readonly home: string;
  readonly environment: Environment;
  /** Whether ssh may ask the person: for a password, or whether a host key is right. */
  readonly mayAsk: boolean;
  /** Milliseconds for one server; without, as long as a person takes. */
  readonly within?: number | undefined;
};

/** A server to reach, perhaps one that is not kept yet. */
export type Target = Pick<Host, "name" | "host" | "port" | "user" | "typed" | "hostKeys">;

/** Says what a file is to hold, seeing what it holds; undefined to leave it. */
export type Decide = (file: RemoteFile, met: Connection["met"]) => Promise<string | undefined>;

/** A command that a server is asked to run, what it says, and the one answer to that. */
export type Exchange<Said> = {
  readonly command: (word: string) => string;
  /** The most octets that it may say. */
  readonly most: number;
  /** Reads what it said so far; undefined while that is not all. */
  readonly read: (said: Uint8Array, word: string) => Said | undefined;
  /** What it is told then; undefined for nothing. */
  readonly decide: (said: Said, met: Connection["met"]) => Promise<Uint8Array | undefined>;
  /** Throws unless it did what it was told. */
  readonly check: (said: Uint8Array, word: string) => void;
};

/**
 * Reads authorized_keys on a server, and puts in its place what `decide` says; once it is in place this returns. Errors as `exchange`.
 */
export function editRemote(reach: Reach, target: Target, decide: Decide): Promise<Connection["met"]> {
  return exchange(reach, target, {
    command: editCommand,
    most: maxSaid,
    read: readRemote,
    decide: async (file, met) => {
      const text = await decide(file, met);
      return text === undefined || text === file.text ? undefined : writeRequest(file, text);
    },
    check: checkWritten,
  });
}

/**
 * Logs in with this person's own ssh and whatever lets it in, and has the server run one command.
 *
 * The agent's key is tried first where the agent runs. Nothing of what is said, and no secret, is in an argument.
 * @throws MeshError `ssh-host-unreachable`, `ssh-host-refused`, `ssh-host-key-unknown`, `ssh-host-key-changed`, `ssh-host-failed`, `program-missing`, and what the exchange throws
 */
export async function exchange<Said>(reach: Reach, target: Target, what: Exchange<Said>): Promise<Connection["met"]> {
  const socket = openSocket(reach);
  if (socket === undefined) return (await attempt(reach, target, [], what)).met;
  const begun = performance.now();
  try {
    return (await attempt({ ...reach, mayAsk: false }, target, [`IdentityAgent=${configWord(socket)}`], what)).met;
  } catch (error) {
    if (!(error instanceof MeshError) || !["ssh-host-refused", "ssh-host-key-unknown"].includes(error.code)) throw error;
    // Its own section of the configuration would offer that key alone.
    const left = reach.within === undefined ? undefined : Math.max(1000, reach.within - (performance.now() - begun));
    return (await attempt({ ...reach, within: left }, target, ["IdentityAgent=SSH_AUTH_SOCK", "IdentitiesOnly=no"], what)).met;
  }
}

/**
 * Whether a server lets this device in by what its agent offers: the key of this fingerprint, or a certificate of it.
 *
 * Undefined where that cannot be tried: no agent runs, or the server cannot be reached.
 */
export async function isLetIn(reach: Reach, target: Target, fingerprint: string): Promise<boolean | undefined> {
  const socket = openSocket(reach);
  if (socket === undefined) return undefined;
  const greeting: Exchange<true> = { command: (word) => `echo mesh-${word}`, most: 64 * 1024, read: (said, word) => (fromLatin1(said).includes(`mesh-${word}`) ? true : undefined), decide: async () => undefined, check: () => undefined };
  try {
    const { by } = await attempt({ ...reach, mayAsk: false }, target, [`IdentityAgent=${configWord(socket)}`, "IdentitiesOnly=no", "PreferredAuthentications=publickey"], greeting);
    return by === fingerprint;
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    return error.code === "ssh-host-refused" ? false : undefined;
  }
}

function openSocket(reach: Reach): string | undefined {
  const socket = agentSocket(reach);
  return socket !== undefined && existsSync(socket) ? socket : undefined;
}

async function attempt<Said>(reach: Reach, target: Target, more: readonly string[], what: Exchange<Said>): Promise<Connection> {
  const folder = openFolder(filesIn(reach.home).folder);
  try {
    return await inFolder(folder, reach, target, more, what);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder for one connection; those of connections that were killed go. */
function openFolder(parent: string): string {
  try {
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(parent).filter((one) => one.startsWith("run-"))) {
      const since = Date.now() - (statSync(join(parent, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (since > DAY) rmSync(join(parent, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(parent, "run-"));
  } catch (error) {
    throw new MeshError("output-failed", `${parent} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`, "No server was reached for.");
  }
}

async function inFolder<Said>(folder: string, reach: Reach, target: Target, more: readonly string[], what: Exchange<Said>): Promise<Connection> {
  const [log, known, word] = [join(folder, "log"), join(folder, "known_hosts"), randomBytes(16).toHex()];
  writeFileSync(log, "", { mode: 0o600 });
  writeFileSync(known, knownHosts([target]), { mode: 0o600 });
  const connection = (): Connection => readConnection(readFileSync(log, "utf8"));
  let wrote = false;
  const ended = await converse("ssh", [...argumentsOf(target, log, known, reach, more), "--", target.typed, what.command(word)], {
    environment: reach.environment,
    within: reach.within,
    heard: reach.mayAsk,
    most: what.most,
    answer: async (said) => {
      const read = what.read(said, word);
      if (read === undefined) return undefined;
      const told = await what.decide(read, connection().met);
      wrote = told !== undefined;
      return told ?? new Uint8Array(0);
    },
  });
  const made = connection();
  if (!made.authenticated) throw refusalOf(target, made, ended);
  if (what.read(ended.said, word) === undefined) throw new MeshError("ssh-host-failed", `${target.name} let this device in, but did not do what it was asked${ended.late ? " in time" : ""}.`, "It may be no computer with a shell. Where keys are pasted into a page: mesh ssh keys");
  if (wrote) what.check(ended.said, word);
  return made;
}

/** What ssh is told, before anything that the person's own configuration says: the connection is of this command alone, and does nothing besides. */
function argumentsOf({ host, hostKeys, name, port, user }: Target, log: string, known: string, reach: Reach, more: readonly string[]): readonly string[] {
  const pinned = hostKeys.length === 0 ? [] : [`HostKeyAlias=${name}`, `UserKnownHostsFile=${configWord(known)}`, "StrictHostKeyChecking=yes", "UpdateHostKeys=no"];
  const options = [`HostName=${host}`, `Port=${port}`, `User=${user}`, ...pinned, `BatchMode=${reach.mayAsk ? "no" : "yes"}`, `ConnectTimeout=${Math.ceil((reach.within ?? 15_000) / 1000)}`, "ControlMaster=no", "ControlPath=none", "ClearAllForwardings=yes", "ForwardAgent=no", "PermitLocalCommand=no", "RemoteCommand=none", ...more];
  return ["-T", "-x", "-v", "-E", log, ...options.flatMap((option) => ["-o", option])];
}

function refusalOf({ hostKeys, name, typed, user }: Target, { met, trouble, words }: Connection, { late }: Ended): MeshError {
  const shown = met === undefined ? "" : ` It showed ${met.fingerprint}.`;
  if (trouble === "changed" || (trouble === "unknown" && hostKeys.length > 0)) {
    return new MeshError("ssh-host-key-changed", `${name} DOES NOT SHOW THE HOST KEY BY WHICH IT IS KNOWN.${shown} Somebody may stand between you and it, or it was set up anew. Nothing was sent to it.`, `Do not log in until you know. If it was set up anew, read its fingerprint there (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and say it: mesh ssh host add ${user}@${typed} --host-key SHA256:...`);
  }
  if (trouble === "unknown") return new MeshError("ssh-host-key-unknown", `The host key of ${name} is not known here, and was not confirmed.${shown}`, "Run it on a terminal, or say the fingerprint that you read on the server: --host-key SHA256:...");
  if (trouble === "refused") return new MeshError("ssh-host-refused", `${name} did not let this device in: ${words}`, `Try \`ssh ${user}@${typed}\`: once that works, this does.`);
  return new MeshError("ssh-host-unreachable", `${name} cannot be reached${late ? " in time" : ""}${words === "" || late ? "." : `: ${words}`}`, "Try again where it can be reached; any of your devices will do.");
}

/** The files for ssh in a home. */
export function filesIn(home: string) {
  const folder = join(home, "ssh");
  return { folder, config: join(folder, "config"), knownHosts: join(folder, "known_hosts"), common: join(folder, "known_hosts_all"), identity: join(folder, "device.pub"), certificate: (number: number) => join(folder, `device-${number}-cert.pub`) } as const;
}
