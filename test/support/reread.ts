import { readEntries } from "../../src/client/catalog.ts";
import { replay } from "../../src/client/replay.ts";
import { pull } from "../../src/client/sync.ts";
import type { TestDevice } from "./world.ts";

/** Has a device read on in the chains of which it took a snapshot; returns how many commits are left. */
export async function replayed(device: TestDevice): Promise<number> {
  const synced = await pull(device.client);
  try {
    return await replay(device.client, synced);
  } finally {
    synced.link.close();
  }
}

/** The passwords of a device in the order of their identifiers, to be compared with another's. */
export async function sorted(device: TestDevice) {
  return (await readEntries(device.client, "passwords")).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
