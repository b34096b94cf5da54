import { openPortalData } from "../../src/cli/portal/data.ts";
import { defaultPolicy } from "../../src/portal/limits.ts";
import { Portal } from "../../src/portal/portal.ts";
import { openServingStore } from "../../src/store/sqlite.ts";

/** The portal of a directory in this process, without a socket; requests come from the same machine. */
export async function openLocal(directory: string): Promise<{ readonly portal: Portal; readonly close: () => Promise<void> }> {
  const data = await openPortalData(directory);
  const store = await openServingStore(data.database);
  const policy = { ...defaultPolicy, creation: data.settings.accounts, anonymousPerMinute: 1e6, beginningsPerMinute: 1e6 };
  const portal = new Portal({ store, identity: data.identity, policy, now: Date.now, log: (_, fault) => fault !== undefined && console.error(fault) });
  return { portal, close: () => store.close() };
}
