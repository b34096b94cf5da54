import { demand } from "../refusals/mesh-error.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { signatureBy } from "./cosignature.ts";
import { type Note, readNote } from "./note.ts";
import { readVerifierKey, type VerifierKey } from "./verifier-key.ts";

/** What must vouch for a checkpoint before anything is built on it (decisions 8.5, 8.6). */
export type LogPolicy = {
  readonly origin: string;
  /** The log's own keys: every one must have signed. */
  readonly logKeys: readonly VerifierKey[];
  /** Others who may vouch for it, and how many of them must; 0 where the log has no peers: then it is worth its own word. */
  readonly cosigners: readonly VerifierKey[];
  readonly quorum: number;
  /** How many seconds old their word may be. */
  readonly freshSeconds: number;
};

/** The key of one kind by which a log signs; `note-unsigned` if it has none. */
export function logKeyOf(logKeys: readonly VerifierKey[], type: VerifierKey["type"]): VerifierKey {
  const key = logKeys.find((one) => one.type === type);
  demand(key !== undefined, "note-unsigned", `This log has no key of type ${type}.`);
  return key;
}

/** The second at which a log says that it signed a checkpoint, by its ML-DSA-44 signature; 0 where there is none. */
export function signedAt({ logKeys }: Pick<LogPolicy, "logKeys">, { note }: Pick<TrustedCheckpoint, "note">): number {
  return signatureBy(logKeyOf(logKeys, "subtree/v1"), note)?.seconds ?? 0;
}

/** How old a cosigner's word may be where nobody says otherwise. */
export const FRESH_SECONDS = 600;

/**
 * The policy for a log whose keys a Portal Profile lists, the newest log's last: its origin is their name, and there must be one of Ed25519 and one of
 * ML-DSA-44 (`log-key-malformed`). Nobody else need vouch for it.
 */
export function policyOf(logKeys: readonly string[]): LogPolicy {
  const all = logKeys.map(readVerifierKey);
  const origin = all.at(-1)?.name ?? "";
  const own = all.filter(({ name }) => name === origin);
  const types = own.map(({ type }) => type).sort();
  demand(types.length === 2 && types[0] === "note" && types[1] === "subtree/v1", "log-key-malformed", "A log has one key of Ed25519 and one of ML-DSA-44.");
  return { origin, logKeys: own, cosigners: [], quorum: 0, freshSeconds: FRESH_SECONDS };
}

/** The number in an origin, by which a portal tells its logs apart (`docs/spec/log.md` 1.1); undefined in any other name. */
export function logNumber(origin: string): number | undefined {
  const [, number = ""] = /^[^/]+\/mesh\/([1-9]\d{0,14})$/.exec(origin) ?? [];
  return number === "" ? undefined : Number(number);
}

/** The prefix of a log at its portal: the path of its origin. */
export function logPrefix(origin: string): string {
  return `${origin.slice(origin.indexOf("/"))}/`;
}

/** A checkpoint for which a policy's keys vouch. */
export type TrustedCheckpoint = Checkpoint & { readonly note: Note; /** How many cosigners vouch for it lately. */ readonly cosigned: number };

/**
 * Judges a checkpoint as it was sent: `note-malformed`, `log-wrong-origin`, `note-unsigned` unless every key of the log signed it, and
 * `log-proof-stale` unless enough cosigners did so not long before `now`, in seconds.
 */
export function trustCheckpoint(octets: Uint8Array, policy: LogPolicy, now: number): TrustedCheckpoint {
  const note = readNote(octets);
  const checkpoint = readCheckpoint(note.text);
  demand(checkpoint.origin === policy.origin, "log-wrong-origin", "This checkpoint is of another log.");
  const unsigned = policy.logKeys.find((key) => signatureBy(key, note) === undefined);
  demand(policy.logKeys.length > 0 && unsigned === undefined, "note-unsigned", `This checkpoint is not signed by its log${unsigned === undefined ? "" : ` (${unsigned.type})`}.`);
  const fresh = policy.cosigners.filter((key) => isFresh(signatureBy(key, note)?.seconds, policy, now));
  // Whoever has keys of two kinds is still one.
  const cosigned = new Set(fresh.map(({ name }) => name)).size;
  demand(cosigned >= policy.quorum, "log-proof-stale", `Of the ${policy.quorum} who must vouch for this checkpoint, ${cosigned} did lately.`);
  return { ...checkpoint, note, cosigned };
}

/** Clocks differ, so a little ahead is as good as a little behind; far ahead would be fresh for ever. */
function isFresh(seconds: number | undefined, { freshSeconds }: LogPolicy, now: number): boolean {
  return seconds !== undefined && Math.abs(now - seconds) <= freshSeconds;
}
