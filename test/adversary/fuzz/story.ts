import assert from "node:assert/strict";

import { knownHead } from "../../../src/client/log-proofs.ts";
import { RefusedByPortal } from "../../../src/protocol/wire.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import type { Copyable } from "../restarting.ts";
import { begin, type Cheat, type Underway } from "./cheats.ts";
import { carryOut, type Deed, type Told } from "./deeds.ts";
import { type Ending, endWell } from "./ending.ts";
import type { Prepared } from "./prepared.ts";
import { Scene } from "./scene.ts";
import { Watching } from "./watching.ts";

/** One thing that somebody does; `together` are two that happen at once. */
export type Step = Deed | { readonly do: "wait"; readonly hours: number } | { readonly do: "together"; readonly deeds: readonly [Deed, Deed] };

/** What a person meets when all goes well: that is no alarm. */
const USUAL: ReadonlySet<string> = new Set([
  "device-disabled", "device-not-connected", "device-already-disabled", "device-not-found", "device-is-this", "device-last-administrator", "device-not-administrator", "device-not-suspended", "catalog-not-kept",
  "connection-not-found", "connection-answered", "connection-unknown", "connection-pin-unknown", "connection-rejected", "home-missing", "home-exists", "catalog-missing", "keyring-key-missing",
  "attachment-not-found", "attachment-purged",
]);

/** What a person meets besides who does two things at once: one of them was cut off by the other in the middle of it. */
const USUAL_AT_ONCE: ReadonlySet<string> = new Set([...USUAL, "request-not-allowed"]);

/** What says that the portal cheats, or that a device was cloned, which looks the same from here; not what a portal says of itself. */
export function isAlarm(error: MeshError): boolean {
  return !(error instanceof RefusedByPortal) && (error.code.startsWith("portal-") || error.code === "profile-two-versions");
}

/** How a story went. */
export type Played = { readonly lines: readonly string[]; readonly alarms: number; readonly touched: boolean; readonly contradictions: number; readonly ending: Ending };

/** Plays a story from a prepared household, with cheats or without; throws, with all that happened, if the oracle is not content. */
export async function play(prepared: Prepared, steps: readonly Step[], cheats: readonly Cheat[], search = false): Promise<Played> {
  return playIn(await Scene.begin(prepared), steps, cheats, search);
}

/** Plays a story at an honest portal that has a log, which every device follows, and somebody from outside who has no mesh. */
export async function playLogged(prepared: Prepared, steps: readonly Step[]): Promise<Played> {
  const scene = await Scene.begin(prepared, true);
  const watching = new Watching(scene);
  const played = await playIn(scene, steps, [], false, () => watching.look());
  for (const who of played.ending.well) assert.ok((await knownHead(scene.device(who).client)) !== undefined, `${who} followed no log`);
  return played;
}

async function playIn(scene: Scene, steps: readonly Step[], cheats: readonly Cheat[], search: boolean, look?: () => Promise<void>): Promise<Played> {
  const lines: string[] = [];
  try {
    return await new Playing(scene, cheats, lines, look).play(steps, search);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${lines.join("\n")}`, { cause: error });
  }
}

class Playing {
  readonly #scene: Scene;
  readonly #cheats: readonly Cheat[];
  readonly #lines: string[];
  /** Whatever else is looked at between two steps. */
  readonly #look: () => Promise<void>;
  readonly #told: Told = { written: [], purged: [] };
  #alarms = 0;
  #contradictions = 0;

  constructor(scene: Scene, cheats: readonly Cheat[], lines: string[], look: () => Promise<void> = async () => {}) {
    this.#scene = scene;
    this.#look = look;
    this.#cheats = cheats;
    this.#lines = lines;
  }

  async play(steps: readonly Step[], search: boolean): Promise<Played> {
    const before: Copyable[] = [];
    let underway: readonly Underway[] = [];
    for (const [index, step] of steps.entries()) {
      if (this.#cheats.some((one) => one.what.do === "roll back")) before.push(await this.#scene.truth.store.copy());
      underway = await this.#endThose(underway, (one) => index >= one.at + one.over);
      for (const cheat of this.#cheats.filter((one) => one.at === index)) {
        this.#lines.push(`  portal: ${JSON.stringify(cheat.what)} against ${cheat.against}, over ${cheat.over}`);
        underway = [...underway, await begin(this.#scene, cheat, before)];
      }
      await this.#step(index, step);
      await this.#look();
    }
    await this.#endThose(underway, () => true);
    this.#lines.push("  portal: honest again");
    const ending = await endWell(this.#scene, this.#told, this.#lines, search);
    await this.#look();
    return { lines: this.#lines, alarms: this.#alarms + ending.alarmed.length, touched: this.#scene.touched, contradictions: this.#contradictions, ending };
  }

  async #endThose(underway: readonly Underway[], over: (cheat: Cheat) => boolean): Promise<readonly Underway[]> {
    const left: Underway[] = [];
    // The last begun ends first: a face within a face.
    for (const one of underway.toReversed()) {
      if (over(one.cheat)) await one.end();
      else left.unshift(one);
    }
    return left;
  }

  async #step(index: number, step: Step): Promise<void> {
    const scene = this.#scene;
    if (step.do === "wait") {
      await scene.wait(step.hours);
      this.#lines.push(`${index}. ${step.hours} hours go by`);
      return;
    }
    const deeds = step.do === "together" ? step.deeds : [step];
    await scene.quiet();
    const errors = await Promise.all(deeds.map((deed, at) => carryOut(scene, `${index}${"ab"[at]}`, deed, this.#told).then(() => undefined, (thrown: unknown) => thrown)));
    for (const [at, error] of errors.entries()) {
      this.#lines.push(`${index}. ${shown(deeds[at])}: ${error === undefined ? "done" : error instanceof MeshError ? `${error.code} (${error.message})` : String(error)}${scene.marks.size === 0 ? "" : ` [${[...scene.marks].join(", ")}]`}`);
      if (error !== undefined && !(error instanceof MeshError)) throw error;
      this.#judge(error, deeds.length > 1 ? USUAL_AT_ONCE : USUAL);
    }
  }

  /** Every false thing that was told is noticed, with what to do; nothing is noticed where nothing was done. */
  #judge(error: MeshError | undefined, usual: ReadonlySet<string>): void {
    const { marks, touched } = this.#scene;
    if (marks.has("false")) this.#contradictions += 1;
    if (error !== undefined && isAlarm(error)) {
      this.#alarms += 1;
      assert.ok(touched, "an honest portal raised an alarm");
      assert.ok(error.hint !== undefined, "an alarm says what to do");
      assert.equal(error.exit, 6);
      return;
    }
    assert.ok(touched || error === undefined || usual.has(error.code), "this happens with no honest portal");
    // Whoever was silent or refused before may have ended the operation before it came to what was false; a device that is cut off judges nothing.
    const excused = marks.has("service") || error?.code === "device-disabled";
    assert.ok(!marks.has("false") || excused, "something false was told, and was not noticed");
  }
}

function shown(deed: Deed | undefined): string {
  const { do: what, who, ...more } = deed ?? { do: "?", who: "?" };
  return [`${who}:`, what, ...Object.values(more)].join(" ");
}
