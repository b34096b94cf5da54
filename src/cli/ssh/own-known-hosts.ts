import { readFileSync } from "node:fs";
import { join } from "node:path";

import { hostsOf } from "../../applications/ssh/host.ts";
import { type Confirmed, knownName, knownsOf } from "../../applications/ssh/known.ts";
import { digestsIn, type KnownHostsFile, maxKnownHosts, readKnownHosts } from "../../applications/ssh/known-hosts-file.ts";
import { sectionsOf } from "../../applications/ssh/section.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import type { Entry } from "../../catalogs/merge.ts";
import { converse } from "../../machine/converse.ts";
import type { Environment } from "../world.ts";

/** The most names that are tried on hashed lines. */
const maxNames = 1000;

/** Where a person's files of ssh are: her folder, and her configuration where it is not the one that ssh reads by itself; `ours` is the file that mesh writes, which says nothing of hers. */
export type Source = { readonly folder: string; readonly config: string | undefined; readonly ours: string; readonly environment: Environment };

/** What her known_hosts says. */
export function readKnown(folder: string): KnownHostsFile {
  const files = ["known_hosts", "known_hosts2"].map((name) => textIn(join(folder, name)) ?? "");
  return readKnownHosts(files.join("\n"));
}

/** A file of hers, octet for octet a character; undefined where it cannot be read. */
export function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").slice(0, maxKnownHosts);
  } catch {
    return undefined;
  }
}

/** What a file says of hosts whose names it shows, or that are among some names; and how many of its lines are of none. */
export async function confirmedIn({ confirmed, hashed }: KnownHostsFile, names: readonly string[], source: Source): Promise<{ readonly confirmed: readonly Confirmed[]; readonly unnamed: number }> {
  const found = hashed.length === 0 ? new Map<string, string>() : await namesOfHashed(hashed.length, [...names, ...confirmed.map((one) => one.host)], source);
  const named = hashed.flatMap(({ digest, key }) => {
    const host = found.get(digest);
    return host === undefined ? [] : [{ host, key }];
  });
  return { confirmed: [...confirmed, ...named], unnamed: hashed.length - named.length };
}

/** The names of hashed lines, by their digests: ssh-keygen says whether a name is in a file. */
async function namesOfHashed(lines: number, names: readonly string[], { environment, folder }: Source): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of [...new Set(names)].slice(0, maxNames)) {
    if (found.size === lines) break;
    const { said } = await converse("ssh-keygen", ["-F", name, "-f", join(folder, "known_hosts")], { environment, within: 10_000, most: 1024 * 1024 });
    for (const digest of digestsIn(fromUtf8(said))) found.set(digest, name);
  }
  return found;
}

/** Names by which hosts are known here, whatever for. */
export function namesIn(entries: readonly Entry[]): readonly string[] {
  return [...hostsOf(entries), ...sectionsOf(entries)].flatMap(({ host, name, port }) => [knownName(host, port), knownName(name, port)]).concat(knownsOf(entries).map((one) => one.host));
}
