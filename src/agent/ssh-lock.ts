import { setTimeout as wait } from "node:timers/promises";

import { equalBytes } from "../bytes/equal.ts";
import { hmac } from "../crypto/digest.ts";
import { randomBytes } from "../crypto/random.ts";

/** So much longer a wrong passphrase waits for its answer each time, and at most, in milliseconds. */
const [STEP_MS, MOST_MS] = [100, 10_000];

/** `ssh-add -x` and `-X`: an agent that shows and uses no key until the passphrase comes again that it was locked with. */
export class SshLock {
  readonly #salt = randomBytes(64);
  #digest: Uint8Array | undefined;
  #failures = 0;

  get isLocked(): boolean {
    return this.#digest !== undefined;
  }

  /** Whether it did what it was asked: it is locked once, and opened by the same passphrase only. */
  async turn(ask: "lock" | "unlock", passphrase: Uint8Array): Promise<boolean> {
    const digest = hmac(this.#salt, passphrase);
    if (ask === "lock") {
      if (this.isLocked || passphrase.length === 0) return false;
      this.#digest = digest;
      return true;
    }
    if (this.#digest === undefined) return false;
    const same = equalBytes(digest, this.#digest);
    this.#failures = same ? 0 : this.#failures + 1;
    if (same) this.#digest = undefined;
    else await wait(Math.min(this.#failures * STEP_MS, MOST_MS));
    return same;
  }
}
