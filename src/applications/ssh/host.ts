import type { EntryId } from "../../catalogs/entry-id.ts";
import { current, type Entry, isRemoved } from "../../catalogs/merge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { SSHD_CONFIG } from "./server-files.ts";
import { type PublicKey, readKeyLine } from "./public-key.ts";

/** What was last seen and written on a server: which keys stand in our block, or what its lists are, as of which state of the mesh, and who else is let in. */
export type Applied = {
  /** When, as the device that did it tells it (RFC 3339); nothing is decided by it. */
  readonly at: string;
  /** The device that did it. */
  readonly by: string;
  /** Fingerprints of the keys in the block, or of the lists (`managed-server.ts`), sorted. */
  readonly keys: readonly string[];
  /** The state of the mesh that they are of (`as-of.ts`). */
  readonly asOf: string;
  /** Fingerprints of what lets somebody in outside the block, sorted. */
  readonly others: readonly string[];
  /** The second until which the host key of a managed server is certified. */
  readonly certified?: number;
};

/** A server that lets devices in. */
export type Host = {
  readonly id: EntryId;
  /** What people type after `ssh`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** What was typed to reach it when it was added: a name that may stand in a person's own ssh_config. */
  readonly typed: string;
  /** How it is kept in step: by a block in authorized_keys, or by lists beside its sshd_config. */
  readonly way: "plain" | "managed";
  /** Where its sshd_config is, which only a managed one is asked for. */
  readonly sshdConfig: string;
  /** The name in the marks of its block. */
  readonly block: string;
  /** The keys by which it is known; none if none was met yet. */
  readonly hostKeys: readonly PublicKey[];
  readonly applied: Applied | undefined;
};

/** How many lines outside the block are noted. */
export const maxOthers = 256;

// All of these get into an ssh_config, a known_hosts and arguments of programs: what has no place there is no host at all.
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const HOST = /^(?=.{1,255}$)[A-Za-z0-9_:][A-Za-z0-9_.:-]*$/;
const USER = /^[A-Za-z0-9_.][A-Za-z0-9_.@+-]{0,63}$/;
const SSHD_CONFIG_PATH = /^(?=.{2,200}$)(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*){2,}$/;
const BLOCK = /^[!-~]{1,128}$/;
export const HOST_KEY = "host-key:";
/** A fingerprint of a key, or of a line in which no key is seen. */
export const fingerprintForm = /^(?:SHA256:|line:)[A-Za-z0-9+/_-]{43}$/;

/** Whether a text can be the name of a server. */
export function isHostName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a text can be the path of an sshd_config. */
export function isSshdConfig(text: string): boolean {
  return SSHD_CONFIG_PATH.test(text);
}

/**
 * Reads an entry as a server; undefined for one that is none, is removed, or holds what could be anything else than a name in a file of SSH.
 *
 * Another device wrote it, and perhaps a thief: a line break in it could make ssh run a program.
 */
export function hostOf(entry: Entry): Host | undefined {
  const [name, host, user, typed, block] = ["name", "host", "user", "typed", "block"].map((field) => current(entry, field));
  const port = current(entry, "port");
  const [way, sshdConfig = SSHD_CONFIG] = [current(entry, "way"), current(entry, "sshd-config")];
  if (isRemoved(entry) || current(entry, "kind") !== "host" || (way !== "plain" && way !== "managed")) return undefined;
  // The account is a file's name on a managed server.
  if (way === "managed" && (!fits(sshdConfig, SSHD_CONFIG_PATH) || user === "." || user === "..")) return undefined;
  if (!fits(name, NAME) || !fits(host, HOST) || !fits(user, USER) || !fits(block, BLOCK) || !isPort(port)) return undefined;
  return { id: entry.id, name, host, port, user, typed: fits(typed, HOST) ? typed : name, way, sshdConfig: fits(sshdConfig, SSHD_CONFIG_PATH) ? sshdConfig : SSHD_CONFIG, block, hostKeys: hostKeysOf(entry), applied: appliedOf(entry) };
}

/** All servers, by name. */
export function hostsOf(entries: readonly Entry[]): readonly Host[] {
  return entries.flatMap((entry) => hostOf(entry) ?? []).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
}

/**
 * Finds the one server that a person names, by its name or identifier.
 * @throws MeshError `ssh-host-not-found`, `ssh-host-ambiguous` where two devices gave one name at the same time
 */
export function findHost(hosts: readonly Host[], wanted: string): Host {
  const named = hosts.filter((one) => one.name === wanted);
  const [found, another] = named.length > 0 ? named : hosts.filter((one) => one.id === wanted);
  if (found === undefined) throw new MeshError("ssh-host-not-found", `There is no server named ${JSON.stringify(wanted)}.`, hosts.length === 0 ? "Add one: mesh ssh host add user@host" : `There are: ${hosts.map((one) => one.name).join(", ")}.`);
  if (another !== undefined) throw new MeshError("ssh-host-ambiguous", `${named.length} servers are named ${JSON.stringify(wanted)}.`, `Say which by its identifier instead: ${named.map((one) => one.id).join(" or ")}`);
  return found;
}

/**
 * Reads `[user@]host[:port]`; IPv6 with a port in brackets. What is not said is for ssh to say.
 * @throws MeshError `ssh-target-malformed`
 */
export function readTarget(text: string): { readonly host: string; readonly user?: string; readonly port?: number } {
  const at = text.lastIndexOf("@");
  const [user, place] = at === -1 ? [undefined, text] : [text.slice(0, at), text.slice(at + 1)];
  // An address of IPv6 has colons of its own: a port after it needs the brackets.
  const [, bracketed, plain, digits] = (/^[^:[]*:[^:]*:/.test(place) ? ["", undefined, place] : /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(place)) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  const good = host !== undefined && HOST.test(host) && (user === undefined || USER.test(user)) && (port === undefined || isPort(port));
  if (!good) throw new MeshError("ssh-target-malformed", `${JSON.stringify(text)} does not say a server.`, "Say it as for ssh: user@server.example, or user@server.example:2222");
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
}

/** The keys that an entry says a host has, each in a field of its own. */
export function hostKeysOf(entry: Entry): readonly PublicKey[] {
  return Object.keys(entry.fields).filter((field) => field.startsWith(HOST_KEY)).sort().flatMap((field) => {
    const line = current(entry, field);
    if (typeof line !== "string") return [];
    try {
      const { kind, blob } = readKeyLine(line);
      return field === `${HOST_KEY}${kind}` ? [{ kind, blob }] : [];
    } catch (error) {
      if (error instanceof MeshError) return [];
      throw error;
    }
  });
}

function appliedOf(entry: Entry): Applied | undefined {
  const value = current(entry, "applied");
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { at, by, keys, asOf, others, certified } = value as Readonly<Record<string, unknown>>;
  if (typeof at !== "string" || typeof by !== "string" || typeof asOf !== "string" || !areFingerprints(keys) || !areFingerprints(others)) return undefined;
  return { at, by, keys, asOf, others, ...(typeof certified === "number" ? { certified } : {}) };
}

function areFingerprints(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => fits(one, fingerprintForm));
}

function fits(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value);
}

/** Whether a value is the name or address of a host. */
export function isHost(value: unknown): value is string {
  return fits(value, HOST);
}

/** Whether a value is the name of an account. */
export function isUser(value: unknown): value is string {
  return fits(value, USER);
}

/** Whether a value is a port. */
export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535;
}
