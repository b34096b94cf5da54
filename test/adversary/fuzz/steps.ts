import { addPassword, editPassword, removePassword, restorePassword } from "../../../src/applications/passwords/edit.ts";
import type { Change } from "../../../src/catalogs/entries.ts";
import { current, type Entry, isRemoved } from "../../../src/catalogs/merge.ts";
import { editEntries } from "../../../src/client/catalog.ts";
import type { Client } from "../../../src/client/client.ts";
import { removeSuspended } from "../../../src/client/operations/disable.ts";
import { answerPins } from "../../../src/client/operations/pin.ts";
import { replay } from "../../../src/client/replay.ts";
import { pull, sync } from "../../../src/client/sync.ts";

/** All that the command `mesh sync` does: takes and gives, lets in whoever proves to know a PIN, removes whoever is suspended for good, reads what others vouched for. */
export async function syncAsCommand(client: Client): Promise<{ readonly admitted: readonly string[]; readonly removed: number }> {
  await sync(client);
  const synced = await pull(client);
  try {
    const admitted = await answerPins(client, synced);
    const current = synced.answer.pending === 0 ? synced : await pull(client);
    const removed = await removeSuspended(client, current);
    if (admitted.length + removed > 0) await sync(client);
    await replay(client, current);
    current.link.close();
    return { admitted, removed };
  } finally {
    synced.link.close();
  }
}

/** One value that somebody wrote into one field of one login. */
export type Written = { readonly who: string; readonly entry: string; readonly field: string; readonly value: unknown };

/** What somebody does to the logins of a device, offline; `nth` says to which. */
export type Edit = { readonly do: "add" } | { readonly do: "edit"; readonly nth: number; readonly field: "username" | "password" } | { readonly do: "remove"; readonly nth: number };

/** Edits as the commands do, and returns what was written once it is durable at home; nothing if there was nothing to edit. `value` is all that it writes. */
export async function edit(client: Client, who: string, what: Edit, value: string): Promise<readonly Written[]> {
  let made: Change | undefined;
  await editEntries(client, "passwords", (entries) => {
    made = changeOf(entries, what, value);
    return made === undefined ? [] : [made];
  });
  const { entry = "", fields = {} } = made ?? {};
  return Object.entries(fields).map(([field, [, written]]) => ({ who, entry, field, value: written }));
}

function changeOf(entries: readonly Entry[], what: Edit, value: string): Change | undefined {
  if (what.do === "add") return addPassword(entries, { name: value, username: value, password: value });
  const entry = inOrder(entries)[what.nth % Math.max(1, entries.length)];
  if (entry === undefined) return undefined;
  if (what.do === "edit") return editPassword(entries, entry, { [what.field]: value });
  return isRemoved(entry) ? restorePassword(entries, entry) : removePassword(entry);
}

/** Entries by their names, which are the same whenever a story is played again, as their identifiers are not. */
export function inOrder(entries: readonly Entry[]): readonly Entry[] {
  const keyOf = (entry: Entry): string => `${String(current(entry, "name"))} ${entry.id}`;
  return entries.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
