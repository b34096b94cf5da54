import { resolve } from "node:path";

import { accountsOf, type AccountLine } from "../../../portal/upkeep/accounts.ts";
import type { Call } from "../../call.ts";
import { openPortalData } from "../../portal/data.ts";
import { showSize } from "../../portal/size.ts";
import { openPortalStore } from "../../portal/store.ts";

/** `mesh portal accounts`: who has an account here, and how much of it is used; the portal may be running. */
export async function run(call: Call): Promise<void> {
  const { args, output, world } = call;
  const data = await openPortalData(resolve(args.needText("data")));
  const store = await openPortalStore(data, "looking");
  call.whenDone(() => store.close());
  const lines: AccountLine[] = await store.read((reading) => Array.fromAsync(accountsOf(reading, world.now())));
  lines.sort((a, b) => (a.address < b.address ? -1 : 1));
  const document = lines.map(({ address, master, state, octets, quota, devices, seen, closes }) => ({ address, fingerprint: master, state, octets, quota: quota ?? null, devices, seen: timeOf(seen), closes: timeOf(closes) }));
  const rows = lines.map(({ address, state, octets, quota, devices, seen }) => [address, state, `${showSize(octets)}${quota === undefined ? "" : ` of ${showSize(quota)}`}`, String(devices), timeOf(seen)?.slice(0, 10) ?? "never"]);
  output.data(document, lines.length === 0 ? "Nobody has an account here." : output.table(["ACCOUNT", "STATE", "USED", "DEVICES", "LAST SEEN"], rows));
}

function timeOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
