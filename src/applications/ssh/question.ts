import { equalBytes } from "../../bytes/equal.ts";
import type { Bound, Question } from "./agent-session.ts";
import { fingerprintOf } from "./public-key.ts";
import type { Purpose } from "./signed-data.ts";

/** When a person wants to be asked before the agent signs: `forwarded`, where another computer asks that the agent is lent to. */
export const whens = ["never", "forwarded", "always"] as const;
export type When = (typeof whens)[number];

/** What she wants on one device: of all, and otherwise of some servers, by their names. */
export type Confirming = { readonly all: When; readonly hosts: Readonly<Record<string, When>> };

/**
 * What a person is to be asked before a signature, in her words; undefined for nothing.
 *
 * A host is named only where its key was seen to have signed the very session that is signed for. Where it cannot be told whether the agent is lent, since a client
 * says nothing of the session (before OpenSSH 8.9), a login counts as one by another computer, and a document, for which no client says anything, does not.
 * @param nameOf the name by which a host's key is known here
 */
export function questionFor(confirming: Confirming, purpose: Purpose, bound: readonly Bound[], nameOf: (hostKey: Uint8Array) => string | undefined): Question | undefined {
  const to = purpose.purpose === "login" ? destinationOf(purpose, bound) : undefined;
  const name = to === undefined ? undefined : nameOf(to.hostKey);
  const own = name !== undefined && Object.hasOwn(confirming.hosts, name) ? confirming.hosts[name] : undefined;
  const when = own ?? confirming.all;
  const lent = bound.find((one) => one.forwarding);
  const isLent = lent !== undefined || (purpose.purpose !== "document" && to === undefined);
  if (when === "never" || (when === "forwarded" && !isLent)) return undefined;
  const by = lent === undefined ? undefined : shown(lent, nameOf);
  return { what: `${whatFor(purpose, to, name)} by a key of this device`, ...(by === undefined ? {} : { by }) };
}

/** The host whose session is signed for; undefined where it was not shown, or not proven. */
function destinationOf({ hostKey, session }: Purpose & { readonly purpose: "login" }, bound: readonly Bound[]): Bound | undefined {
  const last = bound.at(-1);
  if (last === undefined || !last.proven || last.forwarding || !equalBytes(last.session, session)) return undefined;
  return hostKey === undefined || equalBytes(hostKey, last.hostKey) ? last : undefined;
}

function whatFor(purpose: Purpose, to: Bound | undefined, name: string | undefined): string {
  if (purpose.purpose === "document") return `sign something for ${quoted(purpose.namespace)}`;
  if (purpose.purpose === "unknown") return "sign something that is no login and no document";
  if (to === undefined) return `log in as ${quoted(purpose.user)} to a host that it does not name`;
  return `log in as ${quoted(purpose.user)} to ${name ?? `a host that is not known here (${fingerprintOf(to.hostKey)})`}`;
}

function shown({ hostKey, proven }: Bound, nameOf: (hostKey: Uint8Array) => string | undefined): string {
  return (proven ? nameOf(hostKey) : undefined) ?? `a host that is not known here (${fingerprintOf(hostKey)})`;
}

/** What a client says, short, and nothing that would end or reorder a line. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?"));
}
