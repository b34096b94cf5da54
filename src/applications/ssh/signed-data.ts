import { equalBytes } from "../../bytes/equal.ts";
import { utf8 } from "../../bytes/text.ts";
import { SshReader } from "./wire.ts";

/** What a signature that an agent is asked for will be good for: told to whoever is asked to allow it. */
export type Purpose =
  /** A login (RFC 4252 §7); `hostKey` is there where the client binds it (OpenSSH's publickey-hostbound). */
  | { readonly purpose: "login"; readonly session: Uint8Array; readonly user: string; readonly hostKey?: Uint8Array }
  /** A signature on a document, as Git's commits have: its namespace (OpenSSH's PROTOCOL.sshsig). */
  | { readonly purpose: "document"; readonly namespace: string }
  | { readonly purpose: "unknown" };

const SIGNATURE_MAGIC = utf8("SSHSIG");
const USERAUTH_REQUEST = 50;

/**
 * Tells what is to be signed with a key.
 *
 * Whatever does not read as one of the two in every octet is unknown: an agent that guessed would tell its person something else than she allows.
 */
export function purposeOf(data: Uint8Array, key: Uint8Array): Purpose {
  return (equalBytes(data.subarray(0, SIGNATURE_MAGIC.length), SIGNATURE_MAGIC) ? tryTo(() => documentOf(data)) : tryTo(() => loginOf(data, key))) ?? { purpose: "unknown" };
}

function documentOf(data: Uint8Array): Purpose {
  const reader = new SshReader(data.subarray(SIGNATURE_MAGIC.length), "What is to be signed");
  const namespace = reader.text();
  reader.string();
  reader.text();
  reader.string();
  reader.end();
  return { purpose: "document", namespace };
}

function loginOf(data: Uint8Array, key: Uint8Array): Purpose | undefined {
  const reader = new SshReader(data, "What is to be signed");
  const session = reader.string();
  if (reader.byte() !== USERAUTH_REQUEST) return undefined;
  const user = reader.text();
  if (reader.text() !== "ssh-connection") return undefined;
  const method = reader.text();
  const bound = method === "publickey-hostbound-v00@openssh.com";
  if ((!bound && method !== "publickey") || reader.byte() !== 1) return undefined;
  reader.text();
  const named = reader.string();
  const hostKey = bound ? reader.string() : undefined;
  reader.end();
  return equalBytes(named, key) ? { purpose: "login", session, user, ...(hostKey === undefined ? {} : { hostKey }) } : undefined;
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
