import { toBase64url } from "../../bytes/base64url.ts";
import { utf8 } from "../../bytes/text.ts";
import { sha256 } from "../../crypto/digest.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { readAuthorizedKeys, withBlock } from "./authorized-keys.ts";
import { maxOthers } from "./host.ts";
import { fingerprintOf, readKeyLine } from "./public-key.ts";

/** The state of a mesh of which a block is: the version of its Personal Profile, and that of the Application Profile with the keys. */
export type AsOf = { readonly g: number; readonly n: number; readonly version: number };

/** What an authorized_keys holds, as far as it matters here. */
export type Found = {
  /** Fingerprints of the keys in our block, sorted; undefined if there is no block. */
  readonly keys: readonly string[] | undefined;
  readonly asOf: AsOf | undefined;
  /** Fingerprints of what lets somebody in outside it, sorted, at most 256. */
  readonly others: readonly string[];
};

const AS_OF = /^# as of ((?:0|[1-9]\d{0,14})\.(?:0|[1-9]\d{0,14})\.(?:0|[1-9]\d{0,14}))$/;

/** Reads a file, of which block `name` is ours; errors as `readAuthorizedKeys`. */
export function readBlock(text: string, name: string): Found {
  const { block, comments, others } = readAuthorizedKeys(text, name);
  const said = comments.map((line) => AS_OF.exec(line)?.[1]).find((one) => one !== undefined);
  return { keys: block?.map(fingerprintOfLine).sort(), asOf: readAsOf(said), others: [...new Set(others.map(fingerprintOfLine))].sort().slice(0, maxOthers) };
}

/**
 * A file in whose block these lines stand, with the state that they are of before them.
 *
 * A block of a later state is not replaced by an earlier: a device that was away would let one in again that was disabled meanwhile.
 * @throws MeshError `ssh-host-ahead`, and as `readAuthorizedKeys`
 */
export function withKeys(text: string, name: string, lines: readonly string[], asOf: AsOf): string {
  const { asOf: there } = readBlock(text, name);
  if (there !== undefined && isBefore(asOf, there)) throw new MeshError("ssh-host-ahead", "What stands on this server is of a later state of your mesh than this device knows.", "Run `mesh sync` here. If that changes nothing, your portal keeps things from this device, or somebody changed the block on the server: look at it.");
  return withBlock(text, name, lines.length === 0 ? [] : [`# as of ${showAsOf(asOf)}`, ...lines]);
}

/** A state as it is written. */
export function showAsOf({ g, n, version }: AsOf): string {
  return `${g}.${n}.${version}`;
}

function readAsOf(text: string | undefined): AsOf | undefined {
  if (text === undefined) return undefined;
  const [g = 0, n = 0, version = 0] = text.split(".").map(Number);
  return { g, n, version };
}

function isBefore(a: AsOf, b: AsOf): boolean {
  return a.g !== b.g ? a.g < b.g : a.n !== b.n ? a.n < b.n : a.version < b.version;
}

/** The fingerprint of the key in a line, whatever options stand before it; of the whole line where no key is seen in it. */
function fingerprintOfLine(line: string): string {
  // Options end at the first blank that is not quoted (sshd(8)).
  const [, rest = ""] = /^(?:"(?:[^"\\]|\\.)*"|[^\s"])+\s+(.*)$/.exec(line) ?? [];
  for (const key of [line, rest]) {
    try {
      return fingerprintOf(readKeyLine(key.replaceAll(/\s+/g, " ")).blob);
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
    }
  }
  return `line:${toBase64url(sha256(utf8(line)))}`;
}
