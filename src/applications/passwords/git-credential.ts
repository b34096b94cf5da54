import { MeshError } from "../../refusals/mesh-error.ts";
import type { Password } from "./password.ts";
import { filterPasswords, hostOf } from "./query.ts";

/** What Git says of a login that it wants or has (gitcredentials(7), git-credential(1)). */
export type GitCredential = { readonly protocol?: string; readonly host?: string; readonly path?: string; readonly username?: string; readonly password?: string };

const KNOWN: ReadonlySet<string> = new Set(["protocol", "host", "path", "username", "password"]);
const MOST = 64 * 1024;

/** Reads lines `name=value` up to an empty one; what we do not know is left out (`input-malformed` for what is no such line). */
export function readGitCredential(text: string): GitCredential {
  const said: Record<string, string> = {};
  if (text.length > MOST) throw new MeshError("input-malformed", "What Git says of a login is too long.");
  for (const line of text.split("\n")) {
    if (line === "") break;
    const at = line.indexOf("=");
    if (at < 1 || line.includes("\0")) throw new MeshError("input-malformed", "What Git says of a login is not lines of name=value.");
    if (KNOWN.has(line.slice(0, at))) said[line.slice(0, at)] = line.slice(at + 1);
  }
  return said;
}

/**
 * The logins that may answer Git: kept for the host, over HTTPS alone, with a password, and the user name if Git has one.
 *
 * Where some are kept for that very host, those kept for a domain above it are not meant.
 */
export function loginsFor(passwords: readonly Password[], { protocol, host, username }: GitCredential): readonly Password[] {
  if (protocol !== "https" || host === undefined || host === "") return [];
  const serving = filterPasswords(passwords, { tags: [], site: host }).filter((one) => one.password !== undefined && one.username !== undefined && (username === undefined || one.username === username));
  const exact = serving.filter((one) => one.sites.some((site) => hostOf(site) === hostOf(host)));
  return exact.length > 0 ? exact : serving;
}

/** The lines of an answer; a value that would break a line is told to nobody (`password-field-not-found`). */
export function gitAnswer({ username = "", password = "" }: Password): string {
  if (/[\n\0]/.test(username + password)) throw new MeshError("password-field-not-found", "This login has a line break in it, which Git cannot take.");
  return `username=${username}\npassword=${password}`;
}
