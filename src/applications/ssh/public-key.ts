import { fromBase64, toBase64 } from "../../bytes/base64.ts";
import { concatBytes } from "../../bytes/equal.ts";
import { sha256 } from "../../crypto/digest.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { SshReader, string } from "./wire.ts";

/** What SSH calls Ed25519 (RFC 8709). */
export const ED25519 = "ssh-ed25519";

const kindOfEd25519 = string(ED25519);

/** The longest line of a public key that is read: RSA of 16,384 bits has some 2,800 characters. */
const maxLine = 8 * 1024;

/** A public key of SSH, of whatever kind: its blob (RFC 4253 §6.6) begins with the name of the kind. */
export type PublicKey = { readonly kind: string; readonly blob: Uint8Array };

/** The blob of an Ed25519 key of 32 octets. */
export function ed25519Blob(raw: Uint8Array): Uint8Array {
  return concatBytes(kindOfEd25519, string(raw));
}

/** The 32 octets of an Ed25519 key; undefined for a blob of another kind (`ssh-malformed` for none at all). */
export function ed25519Of(blob: Uint8Array): Uint8Array | undefined {
  const reader = new SshReader(blob, "A public key");
  if (reader.text() !== ED25519) return undefined;
  const raw = reader.string();
  reader.end();
  if (raw.length !== 32) throw reader.refuse("of Ed25519 does not have 32 octets");
  return raw;
}

/** A signature of Ed25519 as SSH sends it (RFC 8709 §6). */
export function ed25519Signature(raw: Uint8Array): Uint8Array {
  return concatBytes(kindOfEd25519, string(raw));
}

/** A key as a line of a `.pub` file, without the line break; what could break the line is left out of the comment. */
export function keyLine({ kind, blob }: PublicKey, comment?: string): string {
  const plain = comment?.replace(/[^\x20-\x7e]/g, "").trim() ?? "";
  return `${kind} ${toBase64(blob)}${plain === "" ? "" : ` ${plain}`}`;
}

/**
 * Reads a line of a `.pub` file: kind, blob, and a comment if there is one.
 * @throws MeshError `ssh-malformed` for a line that is none, or whose blob is of another kind than it says
 */
export function readKeyLine(line: string): PublicKey & { readonly comment: string } {
  const [, kind = "", text = "", comment = ""] = (line.length <= maxLine ? /^([a-z0-9@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})(?: (.*))?$/.exec(line.trim()) : undefined) ?? [];
  const blob = kind === "" ? undefined : tryTo(() => fromBase64(text));
  if (blob === undefined || tryTo(() => new SshReader(blob, "").text()) !== kind) throw new MeshError("ssh-malformed", "This is not the line of a public key of SSH.");
  return { kind, blob, comment: comment.trim() };
}

/** What people compare: `SHA256:` and the digest in base64 without padding, as OpenSSH shows it. */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${toBase64(sha256(blob)).replace(/=+$/, "")}`;
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
