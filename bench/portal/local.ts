import { openPortalData } from "../../src/cli/portal/data.ts";
import { makeLog } from "../../src/cli/portal/log.ts";
import { beginNotary } from "../../src/cli/portal/notary.ts";
import { withLog } from "../../src/cli/portal/with-log.ts";
import { defaultPolicy } from "../../src/portal/limits.ts";
import { Portal } from "../../src/portal/portal.ts";
import { openServingStore } from "../../src/store/sqlite.ts";

/** The portal of a directory in this process, with its log and without a socket; requests come from the same machine. */
export async function openLocal(directory: string): Promise<{ readonly portal: Portal; readonly close: () => Promise<void> }> {
  const data = await withLog(directory, await openPortalData(directory));
  const store = await openServingStore(data.database);
  const notary = await beginNotary(store, data.log, makeLog(undefined, "error", console.error, Date.now), Date.now);
  const policy = { ...defaultPolicy, creation: data.settings.accounts, anonymousPerMinute: 1e6, beginningsPerMinute: 1e6 };
  const portal = new Portal({ store, receipts: notary.receipts, identity: data.identity, policy, now: Date.now, log: (_, fault) => fault !== undefined && console.error(fault) });
  return {
    portal,
    close: async () => {
      await notary.stop();
      await store.close();
    },
  };
}
