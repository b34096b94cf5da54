import * as fc from "fast-check";

import { doShare, drawn } from "../../support/workers.ts";
import { cheated, honest, prepareAll, type Story } from "./draw.ts";
import { play } from "./story.ts";

/** What a share of stories came to. */
export type Told = { honest: number; cheated: number; touched: number; contradicted: number; alarmed: number; searched: number };

/** One story in so many is searched for what whoever was cut off can read: that costs as much as ten stories. */
const SEARCHED = 8;

await doShare(async (share) => {
  const prepared = await prepareAll(share.of === "cheated");
  const told: Told = { honest: 0, cheated: 0, touched: 0, contradicted: 0, alarmed: 0, searched: 0 };
  const twice = async ({ cast, steps, cheats }: Story): Promise<void> => {
    const household = prepared[cast];
    if (household === undefined) throw new RangeError(String(cast));
    const search = told.honest % SEARCHED === 0;
    const twin = await play(household, steps, [], search);
    told.honest += 1;
    if (cheats.length === 0) return;
    const played = await play(household, steps, cheats, search);
    told.cheated += 1;
    told.touched += played.touched ? 1 : 0;
    told.contradicted += played.contradictions > 0 ? 1 : 0;
    told.alarmed += played.alarms > 0 ? 1 : 0;
    told.searched += twin.ending.searched + played.ending.searched;
  };
  await fc.assert(fc.asyncProperty(share.of === "honest" ? honest : cheated, twice), drawn(share));
  return told;
});
