import type { Cosigner } from "../../notary/show.ts";
import { checkNotBehind, type SignedLog } from "../../notary/guard.ts";
import { readVerifierKey, writeVerifierKey } from "../../notary/verifier-key.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { openConnection } from "../../http/call.ts";
import { meetOutside } from "../monitor/meet.ts";
import { parsePlace } from "../where.ts";
import { readLines } from "./cosigning.ts";
import type { Log } from "./log.ts";
import { MOST_COSIGNERS } from "./settings.ts";

/** One who vouches for this portal's log, and the end of the connection to it. */
export type Peer = Cosigner & { readonly close: () => void };

/** So long one answer may take, in milliseconds. */
const ANSWER_MS = 5000;
/** At its start a portal waits so long for enough of them, and so long for the rest. */
const START_MS = 10_000;
const REST_MS = 2000;
const AGAIN_MS = 500;

/** Those whom some files name, each on a line: where it is asked, `https://HOST[:PORT]/PREFIX[#PIN]`, and its key. */
export function peersIn(files: readonly string[]): readonly Peer[] {
  const peers = files.flatMap((file) => readLines(file, peerOf));
  const keys = new Set(peers.map(({ key }) => writeVerifierKey(key)));
  demand(peers.length > 0 && peers.length <= MOST_COSIGNERS && keys.size === peers.length, "input-malformed", `A log has 1 to ${MOST_COSIGNERS} cosigners, each named once.`);
  return peers;
}

function peerOf(line: string): Peer {
  const [address = "", text = "", ...more] = line.split(/\s+/);
  demand(text !== "" && more.length === 0 && URL.canParse(address), "input-malformed", "A line that names a cosigner has its URL, a space, and its key.");
  const key = readVerifierKey(text);
  demand(key.type !== "note", "input-malformed", "This is the key of a log, not of a cosigner.");
  const { hash, origin, pathname, search } = new URL(address);
  demand(search === "", "service-url", "The URL of a cosigner has no query.");
  const place = parsePlace(`${origin}${hash}`);
  const path = `${pathname.replace(/\/$/, "")}/add-checkpoint`;
  let open: Promise<{ readonly post: Peer["send"]; readonly close: () => void }> | undefined;
  const connect = async (): Promise<{ readonly post: Peer["send"]; readonly close: () => void }> => {
    // A portal is known by its pin, whatever certificate it shows; others by the system's authorities.
    const connection = place.pin === undefined ? openConnection(place.url, { trust: "web-pki", timeoutMs: ANSWER_MS, maxBodyBytes: 64 << 10 }) : await meetOutside(place, { timeoutMs: ANSWER_MS });
    return { post: (body) => connection.post(path, { "content-type": "text/plain; charset=utf-8" }, body), close: () => connection.close() };
  };
  const close = (): void => {
    open?.then((connection) => connection.close()).catch(() => {});
    open = undefined;
  };
  return {
    key,
    close,
    send: async (body) => {
      try {
        return await (await (open ??= connect())).post(body);
      } catch (error) {
        close();
        throw error;
      }
    },
  };
}

/**
 * Asks all who vouch for a log whether they know more of it than is kept here, before anything of it is signed (decision 8.7).
 *
 * `log-behind-peers` as soon as one does; `log-peers-away` if within ten seconds fewer than `quorum` have said that they do not.
 */
export async function guardStart(log: SignedLog, peers: readonly Peer[], quorum: number, operator: Log): Promise<void> {
  const begun = performance.now();
  let sound = 0;
  const asking = { goesOn: true };
  const ask = async (peer: Peer): Promise<void> => {
    for (let said = false; asking.goesOn; ) {
      try {
        await checkNotBehind(log, peer);
        sound += 1;
        return;
      } catch (error) {
        if (!(error instanceof MeshError) || error.code === "log-behind-peers" || error.code.startsWith("store-")) throw error;
        if (!said) operator.note("warn", "cosigner-failed", { cosigner: peer.key.name, fault: error.message });
        said = true;
      }
      await pause(AGAIN_MS);
    }
  };
  const all = Promise.all(peers.map(ask));
  // Whoever is late is not waited for; what it would say then is noted when it vouches, or does not.
  all.catch(() => {});
  const enough = async (): Promise<void> => {
    for (let waited = 0; waited < (sound >= quorum ? REST_MS : START_MS); waited = performance.now() - begun) await pause(50);
  };
  try {
    await Promise.race([all, enough()]);
  } finally {
    asking.goesOn = false;
  }
  demand(sound >= quorum, "log-peers-away", `Of ${peers.length} who vouch for this log, ${sound} said that they know no more of it than is kept here; ${quorum} must.`, "Nothing was signed. Start again when they can be reached; if they are gone for good, name others (--cosigners), or ask fewer (--quorum).");
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
