import { concatBytes, equalBytes, wipe } from "../../bytes/equal.ts";
import { verifyEd25519 } from "../../crypto/ed25519.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { extensionFailureAnswer, failureAnswer, identitiesAnswer, maxMessage, queryAnswer, readAgentRequest, signatureAnswer, successAnswer } from "./agent-messages.ts";
import { ed25519Of } from "./public-key.ts";
import { type Purpose, purposeOf } from "./signed-data.ts";
import { SshReader } from "./wire.ts";

/** A key on offer: its blob, or that of a certificate of it. */
export type Identity = { readonly blob: Uint8Array; readonly comment: string };

/** A host that a client met on this connection; `forwarding`: the agent is lent to that host; `proven`: its key was seen to have signed the session, not only shown. */
export type Bound = { readonly hostKey: Uint8Array; readonly session: Uint8Array; readonly forwarding: boolean; readonly proven: boolean };

/** What somebody wants to do by a key, as the rest of "ssh wants to ..."; `by`: the computer that the agent is lent to, and that wants it. */
export type Question = { readonly what: string; readonly by?: string };

/** What a person is to be asked before there is a signature; undefined where she wants to be asked nothing. */
export type QuestionOf = (key: Uint8Array, purpose: Purpose, bound: readonly Bound[]) => Promise<Question | undefined>;

/** What an agent does for one connection. Both may wait as long as a person takes to unlock or to allow; neither throws what a client must not know. */
export type AgentKeys = {
  /** The keys for who is bound so far, in the order in which they are to be tried. */
  readonly offer: (bound: readonly Bound[]) => Promise<readonly Identity[]>;
  /** A signature in SSH's form; undefined where the key is not there, or it is not allowed. */
  readonly sign: (key: Uint8Array, data: Uint8Array, purpose: Purpose, bound: readonly Bound[]) => Promise<Uint8Array | undefined>;
  /** Locks or unlocks by a passphrase; whether it did. */
  readonly lock: (ask: "lock" | "unlock", passphrase: Uint8Array) => Promise<boolean>;
};

/** As many hosts as one connection may pass through (OpenSSH's agent: 16). */
const maxBound = 16;

/**
 * One client's connection to the agent: what comes in, in pieces as they arrive, and the answers to it in their order.
 *
 * What a client asks is answered before its next request is looked at. A message that cannot be told from its neighbours (too long, or empty)
 * ends the connection: `ssh-malformed`. One that is not in its form is answered by a failure, and the connection goes on.
 */
export class AgentSession {
  readonly #keys: AgentKeys;
  readonly #bound: Bound[] = [];
  #waiting: Uint8Array = new Uint8Array(0);
  /** How much of what waits was taken. */
  #taken = 0;

  constructor(keys: AgentKeys) {
    this.#keys = keys;
  }

  /** Takes a piece and answers each message that it completes; one call at a time. */
  async *take(piece: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    this.#keep(concatBytes(this.#waiting, piece));
    try {
      for (let message = this.#next(); message !== undefined; message = this.#next()) yield await this.#answer(message);
    } finally {
      // Once for all messages of a piece: there may be thousands.
      this.#keep(this.#waiting.slice(this.#taken));
    }
  }

  #next(): Uint8Array | undefined {
    const rest = this.#waiting.subarray(this.#taken);
    if (rest.length < 4) return undefined;
    const length = new SshReader(rest, "A message to the agent").uint32();
    if (length === 0 || length > maxMessage) throw new MeshError("ssh-malformed", `A message to the agent has ${length} octets, and 1 to ${maxMessage} are taken.`);
    if (rest.length < 4 + length) return undefined;
    this.#taken += 4 + length;
    return rest.slice(4, 4 + length);
  }

  /** Replaces what waits; what was there may have held a passphrase. */
  #keep(next: Uint8Array): void {
    wipe(this.#waiting);
    this.#waiting = next;
    this.#taken = 0;
  }

  async #answer(message: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#do(readAgentRequest(message));
    } catch (error) {
      if (error instanceof MeshError) return failureAnswer;
      throw error;
    }
  }

  async #do(request: ReturnType<typeof readAgentRequest>): Promise<Uint8Array> {
    switch (request.ask) {
      case "identities":
        return identitiesAnswer(await this.#keys.offer(this.#bound));
      case "sign": {
        const signature = await this.#keys.sign(request.key, request.data, purposeOf(request.data, request.key), this.#bound);
        return signature === undefined ? failureAnswer : signatureAnswer(signature);
      }
      case "lock":
      case "unlock":
        try {
          return (await this.#keys.lock(request.ask, request.passphrase)) ? successAnswer : failureAnswer;
        } finally {
          wipe(request.passphrase);
        }
      case "query":
        return queryAnswer();
      case "bind":
        return this.#bind(request) ? successAnswer : failureAnswer;
      case "extension":
        return extensionFailureAnswer;
      case "other":
        return failureAnswer;
    }
  }

  /**
   * Notes a host that signed its session. Nothing is bound after a host that the agent is not lent to, and no session twice: else what a client asks for could
   * pass for another host's affair (OpenSSH's PROTOCOL.agent §1).
   */
  #bind({ hostKey, session, signature, forwarding }: Omit<Bound, "proven"> & { readonly signature: Uint8Array }): boolean {
    if (this.#bound.length === maxBound || this.#bound.some((one) => !one.forwarding || equalBytes(one.session, session))) return false;
    const raw = ed25519Of(hostKey);
    // A host key of another kind is not proven: a person who is asked is told no name for it.
    if (raw !== undefined && !verifyEd25519(raw, session, rawSignature(signature))) return false;
    this.#bound.push({ hostKey: hostKey.slice(), session: session.slice(), forwarding, proven: raw !== undefined });
    return true;
  }
}

function rawSignature(signature: Uint8Array): Uint8Array {
  const reader = new SshReader(signature, "A host's signature");
  if (reader.text() !== "ssh-ed25519") throw reader.refuse("is of another kind than its key");
  const raw = reader.string();
  reader.end();
  return raw;
}
