import { MeshError } from "../../refusals/mesh-error.ts";
import { type Confirmed, isKnownName } from "./known.ts";
import { type PublicKey, readKeyLine } from "./public-key.ts";

/** What a person's known_hosts says. */
export type KnownHostsFile = {
  readonly confirmed: readonly Confirmed[];
  /** Lines whose name is hidden by a digest: they can be found by a name, and not read. */
  readonly hashed: readonly { readonly digest: string; readonly key: PublicKey }[];
  /** How many lines say something else: for patterns, of authorities, of revoked keys, or nothing that is understood. */
  readonly others: number;
};

/** The largest file that is read, in characters. */
export const maxKnownHosts = 4 * 1024 * 1024;

/** Reads a known_hosts (sshd(8)); what it does not understand is counted, and nothing is an error. */
export function readKnownHosts(text: string): KnownHostsFile {
  const confirmed: Confirmed[] = [];
  const hashed: KnownHostsFile["hashed"][number][] = [];
  let others = 0;
  for (const raw of text.slice(0, maxKnownHosts).split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, names = "", rest = ""] = /^(\S+)[ \t]+(.*)$/.exec(line) ?? [];
    const key = keyIn(rest);
    const listed = names.split(",");
    if (key === undefined || names.startsWith("@")) others += 1;
    else if (names.startsWith("|1|")) hashed.push({ digest: names, key });
    else if (listed.every(isKnownName)) confirmed.push(...listed.map((host) => ({ host: host.toLowerCase(), key })));
    else others += 1;
  }
  return { confirmed, hashed, others };
}

/** The names of hashed lines that `ssh-keygen -F` found by a name. */
export function digestsIn(printed: string): readonly string[] {
  return printed.split("\n").filter((line) => line.startsWith("|1|")).map((line) => line.split(/[ \t]/)[0] ?? "");
}

function keyIn(text: string): PublicKey | undefined {
  try {
    const { blob, kind } = readKeyLine(text.replaceAll(/[ \t]+/g, " "));
    return { blob, kind };
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}
