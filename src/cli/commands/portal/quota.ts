import { resolve } from "node:path";

import { setQuota } from "../../../portal/upkeep/accounts.ts";
import type { Call } from "../../call.ts";
import { openPortalData } from "../../portal/data.ts";
import { parseSize, showSize } from "../../portal/size.ts";
import { openPortalStore } from "../../portal/store.ts";

/** `mesh portal quota`: gives one account room of its own; the portal may be running. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const address = args.needText("ADDRESS").toLowerCase();
  const size = args.needText("SIZE");
  const octets = size === "default" ? undefined : parseSize(size, "SIZE");
  const data = await openPortalData(resolve(args.needText("data")));
  const store = await openPortalStore(data, "changing");
  call.whenDone(() => store.close());
  await setQuota(store, address, octets);
  output.receipt({ address, quota: octets ?? null }, octets === undefined ? `${address} has the room that everybody has.` : `${address} has room for ${showSize(octets)}.`);
}
