import { hostsOf, readTarget } from "../../applications/ssh/host.ts";
import { type Confirmed, type Conflict, knownName, takeKnown } from "../../applications/ssh/known.ts";
import { addSection, isJump, isSectionName, type Section, sectionsOf } from "../../applications/ssh/section.ts";
import type { Entry } from "../../catalogs/merge.ts";
import { editEntries, readEntries } from "../../client/catalog.ts";
import type { Client } from "../../client/client.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { resolveWay } from "./ask-ssh.ts";
import { ownBlocks } from "./own-config.ts";
import { confirmedIn, namesIn, readKnown, type Source } from "./own-known-hosts.ts";

/** What there is to take over, and what stays behind, with why. */
export type Plan = {
  readonly sections: readonly Section[];
  readonly known: readonly Confirmed[];
  readonly conflicts: readonly Conflict[];
  readonly left: readonly { readonly what: string; readonly why: string }[];
};

/** The most sections that are taken over at once. */
const maxSections = 500;

/** Looks at what a person's ssh knows on this device, and says what of it is new to the others. Changes nothing. */
export async function planAbsorption(client: Client, source: Source): Promise<Plan> {
  const entries = await readEntries(client, "ssh");
  const { left, sections } = await newSections(entries, source);
  const file = readKnown(source.folder);
  const names = [...namesIn(entries), ...sections.flatMap(({ host, name, port }) => [knownName(host, port), knownName(name, port)])];
  const { confirmed, unnamed } = await confirmedIn(file, names, source);
  const { added, conflicts } = takeKnown(entries, confirmed);
  return {
    sections,
    known: added,
    conflicts,
    left: [
      ...left,
      ...(unnamed === 0 ? [] : [{ what: `${unnamed} line${unnamed === 1 ? "" : "s"} of known_hosts`, why: "hidden by a digest, and of no name that is known here" }]),
      ...(file.others === 0 ? [] : [{ what: `${file.others} line${file.others === 1 ? "" : "s"} of known_hosts`, why: "of patterns, authorities or revoked keys, or not understood" }]),
    ],
  };
}

/** Has all devices know what was planned; gives the identifiers of the entries that it made. */
export async function absorb(client: Client, { known, sections }: Pick<Plan, "known" | "sections">): Promise<readonly string[]> {
  let made: readonly string[] = [];
  await editEntries(client, "ssh", (entries) => {
    const changes = [...sections.flatMap((section) => addSection(entries, section) ?? []), ...takeKnown(entries, known).changes];
    const before = new Set(entries.map((one) => one.id));
    made = changes.filter((one) => !before.has(one.entry)).map((one) => one.entry);
    return changes;
  });
  return made;
}

/** Sections of plain names, as ssh itself understands them with all that applies to those names. */
async function newSections(entries: readonly Entry[], source: Source): Promise<Pick<Plan, "left" | "sections">> {
  const taken = new Set([...hostsOf(entries), ...sectionsOf(entries)].map((one) => one.name.toLowerCase()));
  const [sections, left]: [Section[], Plan["left"][number][]] = [[], []];
  for (const { names, says } of ownBlocks(source)) {
    for (const name of names) {
      if (taken.has(name.toLowerCase()) || sections.length === maxSections) continue;
      const what = `Host ${name}`;
      if (!isSectionName(name)) {
        left.push({ what, why: "a pattern" });
        continue;
      }
      taken.add(name.toLowerCase());
      if (says.some((one) => one.keyword === "proxycommand")) {
        left.push({ what, why: "reached by a program of this computer (ProxyCommand)" });
        continue;
      }
      const section = await resolved(name, source);
      if (section === undefined) left.push({ what, why: "leads to what cannot be written for another device" });
      else sections.push(section);
    }
  }
  return { sections, left };
}

async function resolved(name: string, { config, environment }: Source): Promise<Section | undefined> {
  try {
    const { host, jump, port, user } = await resolveWay(readTarget(name), environment, config);
    if (jump !== undefined && !isJump(jump)) return undefined;
    readTarget(`${user}@${host}`.includes(":") ? `${user}@[${host}]:${port}` : `${user}@${host}:${port}`);
    return { name, host, port, user, ...(jump === undefined ? {} : { jump }) };
  } catch (error) {
    if (error instanceof MeshError && error.code !== "program-missing") return undefined;
    throw error;
  }
}
