import assert from "node:assert/strict";
import * as fc from "fast-check";

import { check, doShare } from "../../support/workers.ts";
import { cheated, honest, prepareAll, type Story } from "./draw.ts";
import { play, playLogged } from "./story.ts";

/** What a share of stories came to. */
export type Told = { honest: number; logged: number; cheated: number; touched: number; contradicted: number; alarmed: number; searched: number };

await doShare(async (share) => {
  const prepared = await prepareAll(share.of === "cheated");
  const told: Told = { honest: 0, logged: 0, cheated: 0, touched: 0, contradicted: 0, alarmed: 0, searched: 0 };
  const twice = async ({ cast, steps, cheats, search }: Story): Promise<void> => {
    const household = prepared[cast];
    if (household === undefined) throw new RangeError(String(cast));
    const twin = await play(household, steps, [], search);
    told.honest += 1;
    told.searched += twin.ending.searched;
    if (cheats.length === 0) return;
    const played = await play(household, steps, cheats, search);
    told.cheated += 1;
    told.touched += played.touched ? 1 : 0;
    told.contradicted += played.contradictions > 0 ? 1 : 0;
    told.alarmed += played.alarms > 0 ? 1 : 0;
    told.searched += played.ending.searched;
  };
  const logged = async ({ cast, steps }: Story): Promise<void> => {
    await playLogged(prepared[cast] ?? assert.fail(), steps);
    told.logged += 1;
  };
  await check(share, fc.asyncProperty(share.of === "cheated" ? cheated : honest, share.of === "logged" ? logged : twice));
  return told;
});
