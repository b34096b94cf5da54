import type { Change } from "../../catalogs/entries.ts";
import { type EntryId, newEntryId } from "../../catalogs/entry-id.ts";
import { change, current, type Entry, isRemoved } from "../../catalogs/merge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { fingerprintForm, isHost, isPort, isUser, readTarget } from "./host.ts";

/** A section of a person's ssh_config that all devices have: where a name leads, and nothing that could run a program. */
export type Section = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The hosts by way of which it is reached, as ProxyJump has them. */
  readonly jump?: string;
  /** The fingerprint of the key that it takes, where one was taken over. */
  readonly key?: string;
};

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const maxJumps = 8;

/** Whether a text can be the name of a section: one name, no pattern. */
export function isSectionName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a text is hosts for ProxyJump and nothing else. */
export function isJump(text: string): boolean {
  const all = text.split(",");
  return all.length <= maxJumps && all.every((one) => {
    try {
      return readTarget(one).host !== "";
    } catch (error) {
      if (error instanceof MeshError) return false;
      throw error;
    }
  });
}

/** The sections that all devices have, one of each name; what could be more than where a name leads is none. */
export function sectionsOf(entries: readonly Entry[]): readonly (Section & { readonly id: EntryId })[] {
  const found = entries.flatMap((entry) => {
    const section = sectionOf(entry);
    return section === undefined ? [] : [{ ...section, id: entry.id }];
  }).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  return found.filter((one, at) => one.name !== found[at - 1]?.name);
}

/** The change that has all devices know a section; undefined if they do: who has another of that name keeps it. */
export function addSection(entries: readonly Entry[], section: Section): Change | undefined {
  return sectionsOf(entries).some((one) => one.name === section.name) ? undefined : change(newEntryId(), undefined, { kind: "section", ...section });
}

function sectionOf(entry: Entry): Section | undefined {
  const [name, host, user, jump, key] = ["name", "host", "user", "jump", "key"].map((field) => current(entry, field));
  const port = current(entry, "port");
  if (isRemoved(entry) || current(entry, "kind") !== "section") return undefined;
  if (typeof name !== "string" || !NAME.test(name) || !isHost(host) || !isUser(user) || !isPort(port)) return undefined;
  // Without its way it would lead somewhere else.
  if (jump !== undefined && jump !== null && (typeof jump !== "string" || !isJump(jump))) return undefined;
  return { name, host, port, user, ...(typeof jump === "string" ? { jump } : {}), ...(typeof key === "string" && fingerprintForm.test(key) ? { key } : {}) };
}
