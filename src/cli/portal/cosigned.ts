import { FRESH_SECONDS } from "../../notary/log-policy.ts";
import { signedSince } from "../../notary/keeping/resources.ts";
import { type NoteSignature, readNote, writeNote } from "../../notary/note.ts";
import { showCheckpoint } from "../../notary/show.ts";
import { readTlogProof, writeTlogProof } from "../../notary/tlog-proof.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Store } from "../../store/store.ts";
import type { Peer } from "./cosigners.ts";
import type { Log } from "./log.ts";

/** A checkpoint is shown to each cosigner so often at most; after a failure less and less, up to a minute. */
const TURN_MS = 1000;
const LONGEST_MS = 60_000;

/** What stands under a log's checkpoints besides its own signatures. */
export type Cosigned = {
  /** What the log serves, with the cosignatures that there are on the checkpoint in it. */
  readonly on: (path: string, octets: Uint8Array) => Uint8Array;
  readonly stop: () => void;
};

/** A cosignature, on the text of which checkpoint it stands, and of which second it is. */
type Given = { readonly text: string; readonly signature: NoteSignature; readonly seconds: number };

/**
 * Shows each new checkpoint to all who vouch for the log, in the background: nothing ever waits for them, and whoever is away, slow or wrong costs a
 * line in the operator's log. What nobody changes is shown again before the word on it gets old.
 */
export function beginShowing(store: Store, peers: readonly Peer[], log: Log, now: () => number): Cosigned {
  const given = new Map<Peer, Given>();
  const ends = peers.map((peer) => keepShowing(store, peer, log, now, given));
  const cosigned = (checkpoint: Uint8Array): Uint8Array => {
    const { text, signatures } = readNote(checkpoint);
    const more = [...given.values()].flatMap((one) => (one.text === text ? [one.signature] : []));
    return more.length === 0 ? checkpoint : writeNote({ text, signatures: [...signatures, ...more] });
  };
  return {
    on: (path, octets) => {
      if (given.size === 0) return octets;
      if (path === "checkpoint") return cosigned(octets);
      if (!path.startsWith("current/")) return octets;
      const proof = readTlogProof(octets);
      return writeTlogProof({ ...proof, checkpoint: cosigned(proof.checkpoint) });
    },
    stop: () => {
      for (const end of ends) end();
    },
  };
}

function keepShowing(store: Store, peer: Peer, log: Log, now: () => number, given: Map<Peer, Given>): () => void {
  /** The size that this cosigner vouched for last, as far as is known. */
  let known = 0;
  let [wait, due, busy, stopped] = [TURN_MS, 0, false, false];
  const show = async (): Promise<void> => {
    for (let tries = 0; tries < 2; tries++) {
      const signed = await signedSince(store, known);
      if (signed === undefined) return;
      const { text } = readNote(signed.checkpoint);
      const last = given.get(peer);
      if (last?.text === text && Math.abs(now() / 1000 - last.seconds) < FRESH_SECONDS / 2) return;
      if (signed.size < known) throw new MeshError("log-behind-peers", `It vouched for ${known} entries of this log, which has ${signed.size}.`);
      const answer = await showCheckpoint(peer, known, signed.proof, signed.checkpoint);
      if (answer.is === "unknown") throw new MeshError("log-wrong-origin", "It does not know this log.");
      if (answer.is === "contradicted" || (answer.is === "elsewhere" && answer.size === known)) throw new MeshError("log-behind-peers", `It vouched for ${known} other entries of this log.`);
      if (answer.is === "cosigned") {
        known = signed.size;
        given.set(peer, { text, signature: answer.signature, seconds: answer.seconds });
        return;
      }
      known = answer.size;
    }
  };
  const turn = async (): Promise<void> => {
    if (busy || performance.now() < due) return;
    busy = true;
    try {
      await show();
      if (wait > TURN_MS) log.note("info", "cosigner-back", { cosigner: peer.key.name });
      wait = TURN_MS;
    } catch (error) {
      // Said once; it is asked on.
      if (wait === TURN_MS && !stopped) log.note(error instanceof MeshError && error.code === "log-behind-peers" ? "error" : "warn", "cosigner-failed", { cosigner: peer.key.name, fault: error instanceof Error ? error.message : "unknown" });
      wait = Math.min(LONGEST_MS, wait * 2);
      known = 0;
      due = performance.now() + wait;
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void turn(), TURN_MS).unref();
  void turn();
  return () => {
    stopped = true;
    clearInterval(timer);
    peer.close();
  };
}
