import type { AgentKeys, Question, QuestionOf } from "../applications/ssh/agent-session.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Refused } from "./messages.ts";
import type { Prompter } from "./prompt.ts";
import { SshLock } from "./ssh-lock.ts";

/** What a home that is held open does as an agent of SSH. */
export type HeldSsh = Pick<AgentKeys, "offer" | "sign"> & { readonly question: QuestionOf };

/** What an agent of SSH is made of. */
export type ServingParts = {
  /** What is held, if anything is and may still be used; to ask is to use it. */
  readonly use: () => HeldSsh | undefined;
  readonly isHeld: () => boolean;
  readonly unlock: (passphrase: string) => Promise<void>;
  readonly prompter: Prompter;
  readonly home: string;
  readonly now: () => number;
};

/** A client at the other end of a connection: what it runs, nearest first, and when it is gone. */
export type SshClient = { readonly programs: readonly string[]; readonly gone: AbortSignal };

/** A window that asks to unlock, for all who wait. */
type Asking = { readonly outcome: Promise<"unlocked" | "refused" | "nobody">; readonly end: AbortController };

/** So long a client of SSH waits for its person to unlock by herself, in milliseconds, where nobody could ask her; after that it goes on with what else it has. */
const UNLOCK_MS = 30_000;
/** So long she is not asked to unlock again once she did not want to, in milliseconds: programs that try by themselves would ask without end. */
const QUIET_MS = 60_000;
const TRIES = 3;
/** The most questions that wait for their turn. */
const MOST_WAITING = 8;

/**
 * Serves clients of SSH with what the agent holds: asks to unlock where it holds nothing yet, and whether to sign where its person wants to be asked.
 *
 * Whatever is refused is refused in SSH's own words, which know no reason; `refused` is why the last was.
 */
export class SshServing {
  readonly #parts: ServingParts;
  readonly #lock = new SshLock();
  readonly #waiting = new Set<() => void>();
  #asking: Asking | undefined;
  #quietUntil = 0;
  #questions = 0;
  #refused: Refused | undefined;

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  get refused(): Refused | undefined {
    return this.#refused;
  }

  /** Tells clients that came too early that it is unlocked. */
  unlocked(): void {
    for (const wake of this.#waiting) wake();
  }

  /** What it does for one client. */
  keysFor(client: SshClient): AgentKeys {
    return {
      offer: async (bound) => (await (await this.#heldSoon(client))?.offer(bound)) ?? [],
      sign: async (key, data, purpose, bound) => {
        const held = await this.#heldSoon(client);
        if (held === undefined) return undefined;
        const question = await held.question(key, purpose, bound);
        if (question !== undefined && !(await this.#isAllowed(client, question))) return undefined;
        return this.#parts.use()?.sign(key, data, purpose, bound);
      },
      lock: (ask, passphrase) => this.#lock.turn(ask, passphrase),
    };
  }

  async #heldSoon(client: SshClient): Promise<HeldSsh | undefined> {
    if (!this.#parts.isHeld()) await this.#waitForUnlock(client);
    return this.#lock.isLocked ? undefined : this.#parts.use();
  }

  async #waitForUnlock(client: SshClient): Promise<void> {
    if (client.gone.aborted) return;
    let wake: () => void = () => {};
    const woken = new Promise<void>((resolve) => (wake = resolve));
    this.#waiting.add(wake);
    client.gone.addEventListener("abort", wake, { once: true });
    try {
      this.#asking ??= this.#begin(client);
      if ((await Promise.race([woken, this.#asking.outcome])) !== "nobody") return;
      const timer = setTimeout(wake, UNLOCK_MS);
      await woken;
      clearTimeout(timer);
    } finally {
      this.#waiting.delete(wake);
      // The window goes with the last who wanted it.
      if (this.#waiting.size === 0) this.#asking?.end.abort();
    }
  }

  #begin(client: SshClient): Asking {
    const end = new AbortController();
    return { end, outcome: this.#askToUnlock(client, end.signal).finally(() => (this.#asking = undefined)) };
  }

  async #askToUnlock({ programs }: SshClient, given: AbortSignal): Promise<"unlocked" | "refused" | "nobody"> {
    const { home, now, prompter, unlock } = this.#parts;
    // A clock that was set back keeps nobody quiet.
    if (Math.abs(this.#quietUntil - now()) < QUIET_MS && now() < this.#quietUntil) return "refused";
    try {
      for (let [tries, wrong] = [1, ""]; ; [tries, wrong] = [tries + 1, "That was not it. "]) {
        const passphrase = await prompter.secret(`${wrong}${whoAsks(programs)} needs a key of ${home}, which is locked. Its passphrase:`, given);
        try {
          await unlock(passphrase);
          return "unlocked";
        } catch (error) {
          if (!(error instanceof MeshError)) throw error;
          this.#note(error);
          if (error.code === "keyring-wrong-passphrase" && tries < TRIES) continue;
          this.#quietUntil = now() + QUIET_MS;
          return "refused";
        }
      }
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      if (given.aborted) return "refused";
      this.#note(error);
      if (error.code === "prompt-missing") return "nobody";
      this.#quietUntil = now() + QUIET_MS;
      return "refused";
    }
  }

  async #isAllowed({ gone, programs }: SshClient, { by, what }: Question): Promise<boolean> {
    if (this.#questions >= MOST_WAITING) return false;
    this.#questions += 1;
    try {
      await this.#parts.prompter.agree(`${whoAsks(programs)} wants to ${what}.${by === undefined ? "" : ` The request comes from ${by}, to which your agent is lent.`} Allow it?`, gone);
      return true;
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      if (!gone.aborted) this.#note(error);
      return false;
    } finally {
      this.#questions -= 1;
    }
  }

  #note({ code, message }: MeshError): void {
    this.#refused = { at: this.#parts.now(), code, message };
  }
}

/** The file of the program that asks, since a name is soon another's, and the names of those that started it. */
function whoAsks([file, ...starters]: readonly string[]): string {
  if (file === undefined) return "A program that this computer does not name";
  const names = starters.map((one) => one.slice(one.lastIndexOf("/") + 1));
  return plain(names.length === 0 ? file : `${file} (started by ${names.join(", by ")})`);
}

/** On one line, and nothing that would reorder or end what is read. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
