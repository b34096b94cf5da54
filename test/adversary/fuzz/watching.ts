import assert from "node:assert/strict";

import { toBase64url } from "../../../src/bytes/base64url.ts";
import { logKeyTexts } from "../../../src/cli/portal/log-keys.ts";
import { follow } from "../../../src/notary/follow.ts";
import { logPrefix, policyOf } from "../../../src/notary/log-policy.ts";
import { Replay } from "../../../src/notary/replay.ts";
import { loadWhole } from "../../../src/portal/whole.ts";
import type { MasterId } from "../../../src/profiles/types.ts";
import { signers } from "../log-doubles.ts";
import type { Scene } from "./scene.ts";

const policy = policyOf(logKeyTexts(signers));

/** Somebody from outside who follows a portal's log as it grows, and holds it against what the portal keeps. */
export class Watching {
  readonly #scene: Scene;
  readonly #replay = new Replay();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Reads on to the newest checkpoint: whatever is found wrong in an honest portal's log is thrown; what it has as the newest is what is kept. */
  async look(): Promise<void> {
    const { master, truth: { portal, store } } = this.#scene;
    const page = async (path: string): Promise<Uint8Array | undefined> => portal.pages.get?.(`${logPrefix(signers.origin)}${path}`);
    // Nobody has anything yet.
    if ((await page("checkpoint")) === undefined) return;
    await follow(this.#replay, async (path) => (await page(path)) ?? assert.fail(`no ${path}`), policy, portal.clock.now / 1000);
    const kept = master === "" ? undefined : await store.read((r) => loadWhole(r, master as MasterId));
    if (kept === undefined) return;
    const newest = await this.#replay.newest("personal", master);
    assert.equal(toBase64url(newest?.digest ?? new Uint8Array(0)), kept.history.at(-1)?.profile.digest, "the log has another version as the newest than the portal");
    assert.equal((await this.#replay.newest("suspensions", master))?.n ?? 0, kept.suspensions.length);
  }
}
