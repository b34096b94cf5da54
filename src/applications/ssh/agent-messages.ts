import { concatBytes } from "../../bytes/equal.ts";
import { byte, SshReader, string, strings, uint32 } from "./wire.ts";

/** The longest message that is read, in octets, as OpenSSH's own agent has it. */
export const maxMessage = 256 * 1024;

/** What an SSH client asks its agent (draft-ietf-sshm-ssh-agent), as far as ours answers. */
export type AgentRequest =
  | { readonly ask: "identities" }
  | { readonly ask: "sign"; readonly key: Uint8Array; readonly data: Uint8Array; readonly flags: number }
  /** `passphrase` is what the client typed, to be wiped. */
  | { readonly ask: "lock" | "unlock"; readonly passphrase: Uint8Array }
  | { readonly ask: "query" }
  /** The client met a host key and signs for that session from now on (OpenSSH's PROTOCOL.agent §1). */
  | { readonly ask: "bind"; readonly hostKey: Uint8Array; readonly session: Uint8Array; readonly signature: Uint8Array; readonly forwarding: boolean }
  /** An extension that we do not know; clients go on without it. */
  | { readonly ask: "extension"; readonly name: string }
  /** What we do not do, as adding keys; the answer is a failure, and the connection goes on. */
  | { readonly ask: "other"; readonly number: number };

const asked = { identities: 11, sign: 13, lock: 22, unlock: 23, extension: 27 } as const;
const answered = { failure: 5, success: 6, identities: 12, signature: 14, extensionFailure: 28, extension: 29 } as const;
const BIND = "session-bind@openssh.com";
const QUERY = "query";

/** Reads one message, without the length before it; `ssh-malformed` for one that is not in its form. */
export function readAgentRequest(message: Uint8Array): AgentRequest {
  const reader = new SshReader(message, "A message to the agent");
  const request = readAfter(reader.byte(), reader);
  // What we do not do is not read, so its end is not known.
  if (request.ask !== "other" && request.ask !== "extension") reader.end();
  return request;
}

function readAfter(number: number, reader: SshReader): AgentRequest {
  switch (number) {
    case asked.identities:
      return { ask: "identities" };
    case asked.sign:
      return { ask: "sign", key: reader.string(), data: reader.string(), flags: reader.uint32() };
    case asked.lock:
      return { ask: "lock", passphrase: reader.string() };
    case asked.unlock:
      return { ask: "unlock", passphrase: reader.string() };
    case asked.extension:
      return readExtension(reader.text(), reader);
    default:
      return { ask: "other", number };
  }
}

function readExtension(name: string, reader: SshReader): AgentRequest {
  if (name === QUERY) return { ask: "query" };
  if (name === BIND) return { ask: "bind", hostKey: reader.string(), session: reader.string(), signature: reader.string(), forwarding: truth(reader.byte()) };
  return { ask: "extension", name };
}

/** Any octet but 0 is true (RFC 4251 §5). */
function truth(octet: number): boolean {
  return octet !== 0;
}

/** An answer with the length before it, as it is sent. */
function framed(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return string(concatBytes(byte(number), ...parts));
}

/** The keys on offer, in the order in which a client is to try them: blobs of keys or certificates, with a comment. */
export function identitiesAnswer(identities: readonly { readonly blob: Uint8Array; readonly comment: string }[]): Uint8Array {
  return framed(answered.identities, uint32(identities.length), ...identities.flatMap(({ blob, comment }) => [string(blob), string(comment)]));
}

/** A signature, in SSH's own form. */
export function signatureAnswer(signature: Uint8Array): Uint8Array {
  return framed(answered.signature, string(signature));
}

/** The extensions that we know. */
export function queryAnswer(): Uint8Array {
  return framed(answered.extension, string(QUERY), strings([QUERY, BIND]));
}

export const successAnswer = framed(answered.success);
export const failureAnswer = framed(answered.failure);
export const extensionFailureAnswer = framed(answered.extensionFailure);
