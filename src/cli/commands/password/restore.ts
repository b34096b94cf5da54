import { restorePassword } from "../../../applications/passwords/edit.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { restoreValue } from "../../../applications/passwords/history.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import { isPurged, restorePurged } from "../../../applications/passwords/purge.ts";
import { type Entry, isRemoved, REMOVED, unpurged } from "../../../catalogs/merge.ts";
import { readEntries } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { editPasswords } from "./send.ts";

/** `mesh password restore`: { id, name, field, sync }; without --field the whole of a removed login, `field` null; with --purged { id, name, sync }. */
export async function run(call: Call): Promise<void> {
  const { args } = call;
  const name = args.needText("NAME");
  const field = args.text("field");
  const number = args.number("to", 1, 1_000_000);
  demand(field !== undefined || number === undefined, "usage-missing-argument", "--to says which value of a field, but no field was said.", "Add --field F.");
  if (args.flag("purged")) {
    demand(field === undefined, "usage-options-conflict", "--purged brings back everything that was purged.", "Leave --field out.");
    return restoreAllPurged(call, name);
  }
  await editPasswords(call, [name], (entries) => {
    if (field === undefined) {
      const entry = findPassword(entries, name, true);
      const password = passwordOf(entry);
      return { changes: [restorePassword(entries, entry)], done: { document: { id: entry.id, name: password.name, field: null }, sentence: `Restored ${JSON.stringify(password.name)}.` } };
    }
    const entry = findPassword(entries, name);
    const change = restoreValue(entries, entry, field, number ?? 1);
    const own = passwordOf(entry).name;
    const sentence = change === undefined ? `${JSON.stringify(own)} has that ${field} now.` : `${JSON.stringify(own)} has its earlier ${field} again; the one until now is in its history.`;
    return { changes: change === undefined ? [] : [change], done: { document: { id: entry.id, name: own, field }, sentence } };
  });
}

/** What was purged is found by the name that it had, removed or not. */
async function restoreAllPurged(call: Call, name: string): Promise<void> {
  const purged = (await readEntries(await openClient(call, "offline"), "passwords")).filter(isPurged);
  const found = findPassword(purged.map(beforePurge), name);
  const own = passwordOf(found).name;
  await editPasswords(call, [found.id], (entries) => {
    const entry = entries.find((one) => one.id === found.id);
    const still = entry !== undefined && isRemoved(entry) ? ` It is still removed: mesh password restore ${found.id}` : "";
    return { changes: entry === undefined ? [] : restorePurged(entry), done: { document: { id: found.id, name: own }, sentence: `${JSON.stringify(own)} has again what was purged of it.${still}` } };
  });
}

function beforePurge(entry: Entry): Entry {
  const { fields, id } = unpurged(entry);
  return { id, fields: Object.fromEntries(Object.entries(fields).filter(([field]) => field !== REMOVED)) };
}
