// One process of the bench: takes orders from it over IPC, does one round at a time, answers with what it gave.
import { bare } from "./bare.ts";
import { floor } from "./floor.ts";
import { inside } from "./inside.ts";
import { load } from "./load.ts";
import type { Round } from "./round.ts";

/** What a worker is told to do; `prepare` reads and makes what the round needs, so that none of it is timed. */
export type Order = { readonly round: number; readonly atOnce: number };
export type Role = (...args: readonly string[]) => Promise<(order: Order) => Promise<() => Promise<Round>>>;

const roles: Readonly<Record<string, Role>> = { bare, floor, inside, load };
const [role = "", ...args] = process.argv.slice(2);
const prepare = await roles[role]?.(...args);
if (prepare === undefined) throw new Error(`no role ${role}`);

process.on("message", (order: Order) => {
  void prepare(order)
    .then((run) => run())
    .then((round) => process.send?.(round));
});
process.send?.("ready");
