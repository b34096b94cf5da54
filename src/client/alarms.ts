import { type Code, codes } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Client } from "./client.ts";
import type { RowsReading } from "./rows.ts";

/** What a sync that nobody watched found the portal to have done, and when by this device's clock: kept until its owner syncs herself and finds it well. */
export type AlarmRow = { readonly code: string; readonly message: string; readonly hint: string | null; readonly at: number };

/**
 * Keeps an alarm for whoever uses this device next; whether the error is one. The first of a kind stays, since nothing after it is news.
 *
 * Another TLS key is none: nothing was sent, and on many a network somebody stands in between until one has paid for it. Whoever then runs a command is told.
 */
export async function keepAlarm(client: Client, error: unknown): Promise<boolean> {
  if (!(error instanceof MeshError) || error.exit !== 6 || error.code === "portal-certificate") return false;
  await client.rows.transact(async (rows) => {
    if ((await alarmOf(rows))?.code === error.code) return;
    await rows.put("alarm", "alarm", "", { at: client.now(), code: error.code, hint: error.hint ?? null, message: error.message } satisfies AlarmRow);
  });
  return true;
}

/** The alarm that is kept. */
export async function alarmOf(rows: RowsReading): Promise<AlarmRow | undefined> {
  const row = await rows.get<AlarmRow>("alarm", "alarm");
  return row !== undefined && Object.hasOwn(codes, row.code as Code) ? row : undefined;
}

/** Lets go of an alarm that was told, once its owner synced herself and found all well. */
export async function endAlarm(client: Client, told: AlarmRow): Promise<void> {
  await client.rows.transact(async (rows) => {
    if ((await alarmOf(rows))?.at === told.at) await rows.remove("alarm", "alarm", "");
  });
}
