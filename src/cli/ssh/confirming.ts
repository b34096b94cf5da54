import { equalBytes } from "../../bytes/equal.ts";
import { hostsOf } from "../../applications/ssh/host.ts";
import { knownsOf } from "../../applications/ssh/known.ts";
import { type Confirming, whens } from "../../applications/ssh/question.ts";
import type { Entry } from "../../catalogs/merge.ts";
import type { Client } from "../../client/client.ts";
import type { RowsReading } from "../../client/rows.ts";

const nothing: Confirming = { all: "never", hosts: {} };

/** What was read, and when: it holds until somebody changes the home. */
export type Read = { readonly version: string | undefined; readonly confirming: Confirming };

/** When the person at this device wants to be asked before its agent signs; as it was read `before`, if nothing changed since. It is kept on this device: no other one can make it ask less. */
export async function confirmingOf(client: Client, before?: Read): Promise<Read> {
  return client.rows.read(async (rows) => {
    const version = rows.version();
    return before !== undefined && version !== undefined && before.version === version ? before : { version, confirming: await confirmingIn(rows) };
  });
}

/** Changes it; gives what it is then. */
export async function editConfirming(client: Client, work: (before: Confirming) => Confirming): Promise<Confirming> {
  return client.rows.transact(async (rows) => {
    const after = work(await confirmingIn(rows));
    await rows.put("ssh", "confirm", "", after);
    return after;
  });
}

async function confirmingIn(rows: RowsReading): Promise<Confirming> {
  const row = await rows.get<Confirming>("ssh", "confirm");
  // What a later version wrote is asked for rather than not.
  return row === undefined ? nothing : { all: whens.includes(row.all) ? row.all : "always", hosts: Object.fromEntries(Object.entries(row.hosts).map(([name, when]) => [name, whens.includes(when) ? when : "always"])) };
}

/** The name by which the key of a host is known: of a server, else as the common known_hosts has it. */
export function nameByKey(entries: readonly Entry[], blob: Uint8Array): string | undefined {
  const has = ({ keys }: { readonly keys: readonly { readonly blob: Uint8Array }[] }): boolean => keys.some((key) => equalBytes(key.blob, blob));
  return hostsOf(entries).find((one) => has({ keys: one.hostKeys }))?.name ?? knownsOf(entries).find(has)?.host;
}
