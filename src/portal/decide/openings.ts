import { ordinal } from "../../bytes/ordinal.ts";
import { logShelf } from "../../notary/keeping/rows.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import { type logOpenings, OPENINGS_AT_ONCE, type ShownOpening } from "../../protocol/openings.ts";
import { type Context, memberOf, type Plan } from "../context.ts";
import { parseRow } from "../records.ts";

/** LogOpenings: to devices of the mesh that the entries are of, and to nobody else. */
export async function decideLogOpenings(context: Context, { from, to }: RequestOf<typeof logOpenings>): Promise<Plan<ResponseOf<typeof logOpenings>>> {
  const prefix = `${memberOf(context).view.id}/`;
  const rows = await context.read((r) => r.list(logShelf.seals, prefix, { limit: OPENINGS_AT_ONCE + 1, ...(from === 0 ? {} : { after: prefix + ordinal(from - 1) }) }));
  const openings = rows.map(({ key, value }) => ({ ...parseRow<Omit<ShownOpening, "index">>(value), index: Number(key.slice(prefix.length)) }) as ShownOpening).filter(({ index }) => index < to);
  return { response: { more: openings.length > OPENINGS_AT_ONCE, openings: openings.slice(0, OPENINGS_AT_ONCE) } };
}
