import { concatBytes } from "../../bytes/equal.ts";
import { utf8 } from "../../bytes/text.ts";
import { sha256 } from "../../crypto/digest.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { maxAuthorizedKeys } from "./authorized-keys.ts";

/** A file on a server as it was read: octet for octet one character each, so that what is not ours comes back as it was; undefined if there is none. */
export type RemoteFile = { readonly text: string | undefined; readonly digest: string; readonly by: Summed };

/** What a server makes digests by. */
export type Summed = "sha256" | "cksum";

/** The most octets that are taken from a server: the largest file, and what a login's own files may say before it. */
export const maxSaid = maxAuthorizedKeys + 64 * 1024;

/**
 * Reads authorized_keys, waits for a new one, and puts that in its place if the file is still what was read.
 *
 * It is one argument in single quotes, and has none within, nor a backslash, an exclamation mark or a line break: so every shell that may read
 * it before `sh` does, fish and csh too, leaves it as it is. What it needs is in POSIX and busybox, but for `readlink`.
 * What it is told and says is marked by a word that nobody guesses, since a login's own files may print anything.
 */
const script = [
  "n=$1; f=.ssh/authorized_keys; umask 077;",
  'say() { echo "mesh-$n $*"; };',
  'end() { say failed "$@"; exit 1; };',
  "if command -v sha256sum >/dev/null 2>&1; then by=sha256; else by=cksum; fi;",
  'sum() { if [ $by = sha256 ]; then set -- $(sha256sum); else set -- $(cksum); fi; echo "$1"; };',
  'flush() { if command -v sync >/dev/null 2>&1; then sync "$1" 2>/dev/null; fi; };',
  "cd || end home;",
  'i=0; while [ -h "$f" ]; do l=$(readlink "$f") || end link; case $l in /*) f=$l;; *) f=$(dirname "$f")/$l;; esac; i=$((i+1)); [ $i -lt 9 ] || end link; done;',
  'if [ -e "$f" ]; then [ -f "$f" ] && [ -r "$f" ] || end unreadable; o=$(sum <"$f"); say begin file; cat "$f"; else o=none; say begin none; fi;',
  "echo; say read $by $o;",
  "read -r w s || exit 0; [ $w = write ] || exit 0;",
  'if [ -e "$f" ]; then [ -w "$f" ] || end read-only; fi;',
  'd=$(dirname "$f"); [ -d "$d" ] || mkdir -p "$d" || end write;',
  't=$f.mesh-$n; out() { rm -f "$t"; }; trap out 0; trap "exit 1" 1 2 13 15;',
  // The copy has the owner and the mode of the old one; what it holds is then written anew.
  'if [ $o = none ]; then : >"$t"; else cp -p "$f" "$t"; fi || end write;',
  'cat >"$t" || end write;',
  // A connection that broke ends like one that said all.
  '[ "$(sum <"$t")" = "$s" ] || end incomplete; flush "$t";',
  'if [ -e "$f" ]; then c=$(sum <"$f"); else c=none; fi; [ $c = $o ] || end changed;',
  'mv -f "$t" "$f" || end write; flush "$d"; say done',
].join(" ");

/** The command that a server is to run; `word` marks what is ours of what it says (letters and digits). */
export function editCommand(word: string): string {
  return `sh -c '${script}' mesh ${word}`;
}

/**
 * Reads what the server said so far; undefined while it has not said all of the file.
 * @throws MeshError `ssh-host-failed` for what it could not do, or a file that did not come whole; `ssh-file-too-large`
 */
export function readRemote(said: Uint8Array, word: string): RemoteFile | undefined {
  const text = fromLatin1(said);
  const failed = new RegExp(`(?:^|\n)mesh-${word} failed ([a-z-]+)\n`).exec(text);
  const begun = new RegExp(`(?:^|\n)mesh-${word} begin (file|none)\n`).exec(text);
  if (begun === null && failed !== null) throw couldNot(failed[1] ?? "");
  if (begun === null) return undefined;
  const start = begun.index + begun[0].length;
  const end = new RegExp(`\nmesh-${word} read (sha256|cksum) ([0-9a-f]{1,64}|none)\n`).exec(text.slice(start));
  if (end === null) {
    if (text.length - start > maxAuthorizedKeys + 256) throw new MeshError("ssh-file-too-large", "An authorized_keys file has more than a million characters.", "Look at it by hand: nothing was changed.");
    return undefined;
  }
  const by = end[1] as Summed;
  const file = { text: begun[1] === "none" ? undefined : text.slice(start, start + end.index), digest: end[2] ?? "", by };
  if (file.text !== undefined && digestOf(toLatin1(file.text), by) !== file.digest) throw new MeshError("ssh-host-failed", "The file on the server changed while it was read.", "Nothing was changed; try again.");
  return file;
}

/** What a server is told so that it puts a new file in place of the one that was read. */
export function writeRequest(file: RemoteFile, text: string): Uint8Array {
  const octets = toLatin1(text);
  return concatBytes(utf8(`write ${digestOf(octets, file.by)}\n`), octets);
}

/** What came of a write; throws as `readRemote` unless it is done, or where the server did not say, when it may be. */
export function checkWritten(said: Uint8Array, word: string): void {
  const [, how, why] = new RegExp(`\nmesh-${word} (done|failed)(?: ([a-z-]+))?\n`).exec(fromLatin1(said)) ?? [];
  if (how === "failed") throw couldNot(why ?? "");
  if (how === undefined) throw new MeshError("ssh-host-failed", "The server was not heard of again after it was told what to write; it has the new file or the old one, whole.", "Try again.");
}

const because: Readonly<Record<string, string>> = {
  home: "The account on the server has no home that can be entered.",
  link: "The links that lead to authorized_keys on the server go nowhere.",
  unreadable: "The authorized_keys file on the server cannot be read.",
  "read-only": "The authorized_keys file on the server is marked as read-only.",
  write: "The server cannot write a file beside authorized_keys: its disk is full, or that folder is read-only.",
  incomplete: "What was sent to the server did not come whole: its disk is full, or the connection broke.",
  changed: "Somebody changed the file on the server at the same time.",
};

function couldNot(why: string): MeshError {
  return new MeshError("ssh-host-failed", because[why] ?? "The server could not do what it was asked.", "The file on it is as it was; mend that and try again.");
}

/** The digest of octets as the server makes it. */
export function digestOf(octets: Uint8Array, by: Summed): string {
  return by === "sha256" ? sha256(octets).toHex() : String(cksum(octets));
}

/** The checksum of POSIX `cksum`: it tells a cut file from a whole one, and two that are not made to be alike. */
export function cksum(octets: Uint8Array): number {
  let sum = 0;
  const add = (octet: number): void => {
    sum ^= octet << 24;
    for (let bit = 0; bit < 8; bit++) sum = sum < 0 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  };
  octets.forEach(add);
  for (let length = octets.length; length > 0; length = Math.floor(length / 256)) add(length % 256);
  return ~sum >>> 0;
}

/** Octet for octet a character. */
export function fromLatin1(octets: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < octets.length; at += 8192) parts.push(String.fromCharCode(...octets.subarray(at, at + 8192)));
  return parts.join("");
}

function toLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
