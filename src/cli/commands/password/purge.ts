import { findPassword } from "../../../applications/passwords/find.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import { isGone } from "../../../applications/passwords/gone.ts";
import { planPurge } from "../../../applications/passwords/purge.ts";
import type { Entry } from "../../../catalogs/merge.ts";
import { isRemoved } from "../../../catalogs/merge.ts";
import { readEntries } from "../../../client/catalog.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { editPasswords } from "./send.ts";

/** `mesh password purge`: { purged: [ { id, name, values, attachments } ], sync }. What it means is said before, and nothing is done without a yes. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const removed = args.flag("removed");
  const name = args.text("NAME");
  demand(name !== undefined || removed, "usage-missing-argument", "mesh password purge needs NAME.", "Or --removed, for everything that was removed.");
  const chosen = (entries: readonly Entry[]): readonly Entry[] => (name !== undefined ? [findPassword(entries, name, removed)] : entries.filter((entry) => isRemoved(entry) && !isGone(entry)));
  const plans = (entries: readonly Entry[]) => chosen(entries).map((entry) => ({ entry, plan: planPurge(entry) })).filter(({ plan }) => plan.changes.length > 0);

  const planned = plans(await readEntries(await openClient(call, "offline"), "passwords"));
  if (planned.length === 0) return output.receipt({ purged: [], sync: "sent" }, "There is nothing to purge: nothing is kept but what holds now.");
  const values = planned.reduce((sum, one) => sum + one.plan.values, 0);
  await confirm(call, `${removed ? `This purges ${planned.length} removed login${planned.length === 1 ? "" : "s"} for good, with all they held` : `This purges what ${JSON.stringify(passwordOf(planned[0]?.entry as Entry).name)} held before and holds no longer`} (${values} value${values === 1 ? "" : "s"}).`);
  await editPasswords(call, planned.map(({ entry }) => entry.id), (entries) => {
    const wanted = new Set(planned.map(({ entry }) => entry.id));
    const now = plans(entries.filter((entry) => wanted.has(entry.id)));
    const purged = now.map(({ entry, plan }) => ({ id: entry.id, name: passwordOf(entry).name, values: plan.values, attachments: plan.attachments }));
    return { changes: now.flatMap(({ plan }) => plan.changes), done: { document: { purged }, sentence: "Purged. It is hidden now; in 72 hours it is erased here, and on each other device 72 hours after it hears of it." } };
  });
}

async function confirm({ args, input, world, output }: Call, what: string): Promise<void> {
  if (args.flag("yes")) return;
  if (!output.json) {
    world.write(2, `${what}
It is hidden on every device that hears of it, and erased there 72 hours later; until then this brings it back: mesh password restore NAME --purged
Out of reach are devices that stay offline, copies and backups of a home, and the ciphertext at your portal, which your own devices can read.
A password that somebody may have seen is mended by a new one, not by a purge.
`);
  }
  if (!input.mayAsk) throw new MeshError("input-needed", "A purge cannot be undone, and there is no one to ask.", "Add --yes.");
  const said = await input.ask('Type "purge" to go on', "yes");
  demand(said.trim() === "purge", "interrupted", "Nothing was purged.");
}
