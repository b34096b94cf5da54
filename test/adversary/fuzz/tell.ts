import assert from "node:assert/strict";

import { isLong, patience } from "../../support/long.ts";
import { share } from "../../support/workers.ts";
import type { Told } from "./telling.ts";

/** Has stories of a kind told in a few threads, and says what they came to. */
export async function tell(of: "honest" | "cheated" | "logged", count: number, say: (line: string) => void): Promise<Told> {
  const begun = performance.now();
  const shares = await share<Told>(import.meta.resolve("./telling.ts"), count, of);
  const took = performance.now() - begun;
  const sum = (what: keyof Told): number => shares.reduce((all, one) => all + one[what], 0);
  const told: Told = { honest: sum("honest"), logged: sum("logged"), cheated: sum("cheated"), touched: sum("touched"), contradicted: sum("contradicted"), alarmed: sum("alarmed"), searched: sum("searched") };
  say(`${((told.honest + told.logged + told.cheated) / (took / 1000)).toFixed(1)} stories/s; ${JSON.stringify(told)}`);
  assert.ok(told[of] === count || (!isLong && took > patience && told[of] > 10), `${told[of]} of ${count}`);
  return told;
}
