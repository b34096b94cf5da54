import type { Change } from "../../catalogs/entries.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { change, type Entry, isRemoved, writes } from "../../catalogs/merge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { keyLine, type PublicKey, readKeyLine } from "./public-key.ts";

/** A key that a device had, and until when what it signed counts, in seconds since 1970. */
export type EndedKey = { readonly device: string; readonly key: PublicKey; readonly until: number };

/** A line of `allowed_signers` (ssh-keygen(1)): a key, and until when, as ssh-keygen writes times; without, it has no end. */
export type Signer = { readonly key: PublicKey; readonly device: string; readonly until?: string };

/** The change that notes until when a device's key counts. */
export function endKey({ device, key, until }: EndedKey): Change {
  return change(newEntryId(), undefined, { kind: "signer", device, key: keyLine(key), until });
}

/**
 * The keys that have ended, each with its earliest end.
 *
 * An entry counts that a device wrote which is active, or one that has ended itself and not before: else a thief could, while he is in, set down an end
 * that is yet to come.
 */
export function endedKeys(entries: readonly Entry[], active: ReadonlySet<string>): readonly EndedKey[] {
  let left = entries.flatMap((entry) => endedOf(entry) ?? []);
  const ends = new Map<string, number>();
  const counting = new Map<string, EndedKey>();
  for (let found = true; found; ) {
    const counts = ({ author, until }: Noted): boolean => active.has(author) || until <= (ends.get(author) ?? -1);
    const now = left.filter(counts);
    left = left.filter((one) => !counts(one));
    found = now.length > 0;
    for (const { device, key, until } of now) {
      const name = keyLine(key);
      if (until < (counting.get(name)?.until ?? Infinity)) counting.set(name, { device, key, until });
      if (!active.has(device)) ends.set(device, Math.max(until, ends.get(device) ?? 0));
    }
  }
  return [...counting.values()].sort((a, b) => a.until - b.until || (keyLine(a.key) < keyLine(b.key) ? -1 : 1));
}

/** The file by which git and ssh-keygen know whose signatures are a person's (ssh-keygen(1), ALLOWED SIGNERS), for what git signs alone. */
export function allowedSigners(address: string, signers: readonly Signer[]): string {
  const lines = signers.map(({ device, key, until }) => `${address} namespaces="git"${until === undefined ? "" : `,valid-before="${until}"`} ${keyLine(key, device)}\n`);
  return `# Written by mesh: the keys of your devices; what you change here is lost.\n${lines.join("")}`;
}

type Noted = EndedKey & { readonly author: string };

/** Reads an entry that one device wrote by itself; undefined for any other. */
function endedOf(entry: Entry): Noted | undefined {
  const [kind, device, line, until] = ["kind", "device", "key", "until"].map((field) => writes(entry, field)[0]);
  if (isRemoved(entry) || kind?.value !== "signer" || typeof device?.value !== "string" || typeof line?.value !== "string") return undefined;
  if (typeof until?.value !== "number" || !Number.isSafeInteger(until.value) || until.value < 0) return undefined;
  if (new Set([device.author, line.author, until.author]).size !== 1) return undefined;
  try {
    const { blob, kind: type } = readKeyLine(line.value);
    return { device: device.value, key: { blob, kind: type }, until: until.value, author: device.author };
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}
