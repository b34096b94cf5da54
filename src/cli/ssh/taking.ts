import { type Conflict, takeKnown } from "../../applications/ssh/known.ts";
import { fingerprintOf } from "../../applications/ssh/public-key.ts";
import { utf8 } from "../../bytes/text.ts";
import { editEntries, readEntries } from "../../client/catalog.ts";
import type { Client } from "../../client/client.ts";
import { sha256 } from "../../crypto/digest.ts";
import { confirmedIn, namesIn, readKnown, type Source } from "./own-known-hosts.ts";
import { filesIn, type Reach } from "./reach.ts";

/** What a device that takes over what its ssh confirms keeps of that: the entries that it made, and what it looked at last. */
type TakingRow = { readonly folder: string; readonly config: string | null; readonly made: readonly string[]; readonly looked?: string };

/** Whether this device takes over what its ssh confirms, from where, and which entries it made; undefined if it does not. */
export async function takingOf(client: Client): Promise<TakingRow | undefined> {
  return client.rows.read((rows) => rows.get<TakingRow>("absorb", "taking"));
}

/** Has this device take over, or no more, what its ssh confirms from now on. */
export async function setTaking(client: Client, row: TakingRow | undefined): Promise<void> {
  await client.rows.transact((rows) => (row === undefined ? rows.remove("absorb", "taking", "") : rows.put("absorb", "taking", "", row)));
}

/**
 * Adds to the common list what this device's ssh confirmed since, where a person had it taken over before; gives how many keys that were, and what it has otherwise than the list.
 *
 * It costs a read of her known_hosts and of the entries; names are looked for in hashed lines only when one of the two changed.
 */
export async function takeConfirmed(client: Client, { environment, home }: Pick<Reach, "environment" | "home">): Promise<{ readonly added: number; readonly conflicts: readonly Conflict[] }> {
  const taking = await takingOf(client);
  if (taking === undefined) return { added: 0, conflicts: [] };
  const source: Source = { folder: taking.folder, config: taking.config ?? undefined, ours: filesIn(home).config, environment };
  const file = readKnown(source.folder);
  const names = namesIn(await readEntries(client, "ssh"));
  const looked = sha256(utf8(JSON.stringify([file.hashed.map((one) => one.digest), names]))).toHex();
  const { confirmed } = await confirmedIn(looked === taking.looked ? { ...file, hashed: [] } : file, names, source);
  let [added, conflicts, made]: [number, readonly Conflict[], readonly string[]] = [0, [], []];
  await editEntries(client, "ssh", (entries) => {
    const taken = takeKnown(entries, confirmed);
    const before = new Set(entries.map((one) => one.id));
    [added, conflicts, made] = [taken.added.length, taken.conflicts, taken.changes.map((one) => one.entry).filter((id) => !before.has(id))];
    return taken.changes;
  });
  // What differs is told each time, until it does not.
  const next = { ...taking, made: [...taking.made, ...made], ...(conflicts.length === 0 ? { looked } : {}) };
  if (made.length > 0 || next.looked !== taking.looked) await setTaking(client, next);
  return { added, conflicts };
}

/** What differs, as a person is told loudly. */
export function conflictText(conflicts: readonly Conflict[]): string {
  const lines = conflicts.map(({ found, host, listed }) => `${host}: here ${fingerprintOf(found.blob)}, on your list ${fingerprintOf(listed.blob)}`);
  return `THIS DEVICE KNOWS ANOTHER HOST KEY THAN YOUR LIST, which was not changed. ${lines.join("; ")}. Somebody may have stood between you and the host, then or now; or it was set up anew.`;
}

/** What to do about it. */
export const conflictHint = "Read the fingerprint on the host itself. If your list is right: ssh-keygen -R HOST, here. If this device is: mesh ssh known forget HOST, then mesh sync.";
