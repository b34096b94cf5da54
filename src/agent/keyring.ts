import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import type { Keyring, KeyringEntry } from "../keyring/keyring.ts";
import { type Code, codes } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { askAgent } from "./ask.ts";
import type { Wish } from "./messages.ts";
import type { Asking } from "./place.ts";

/**
 * The keyring of a home whose keys its agent holds: they are used there, and never come here; keys of rows, which are derived, do.
 *
 * Errors as any keyring's, and `agent-gone` where the agent ended or locked meanwhile.
 */
export function agentKeyring(asking: Asking): Keyring {
  let isOpen = true;
  const ask = async (wish: Wish): Promise<unknown> => {
    if (!isOpen) throw new MeshError("keyring-locked", "The keyring was closed.");
    return askForResult(asking, wish);
  };
  const octets = async (wish: Wish): Promise<Uint8Array> => fromBase64url(String(await ask(wish)));
  const addAll = async (secrets: readonly KeyringEntry[]): Promise<void> => {
    await ask({ ask: "add", secrets: secrets.map(({ id, purpose, secret }) => ({ id, purpose, secret: toBase64url(secret) })) });
  };
  return {
    list: async () => (await ask({ ask: "list" })) as Awaited<ReturnType<Keyring["list"]>>,
    sign: (id, message) => octets({ ask: "sign", id, message: toBase64url(message) }),
    signAdded: (id, { contribution, publicKey }, message) => octets({ ask: "sign-added", id, contribution: toBase64url(contribution), publicKey: toBase64url(publicKey), message: toBase64url(message) }),
    decapsulate: (id, ciphertext) => octets({ ask: "decapsulate", id, ciphertext: toBase64url(ciphertext) }),
    derive: (label, length = 32) => octets({ ask: "derive", label, length }),
    add: (id, purpose, secret) => addAll([{ id, purpose, secret }]),
    addAll,
    remove: async (id) => void (await ask({ ask: "remove", id })),
    close: () => {
      isOpen = false;
    },
  };
}

/** Asks for what only the agent can do; its error is thrown as it was there, and `agent-gone` where it does not answer or does not hold the keys. */
export async function askForResult(asking: Asking, wish: Wish): Promise<unknown> {
  const answer = await askAgent(asking, wish);
  if (answer !== undefined && "ok" in answer) return answer.ok;
  if (answer !== undefined && "error" in answer) throw errorOf(answer.error);
  throw new MeshError("agent-gone", "The agent that holds this device's keys ended or locked.", "Run the command again.");
}

function errorOf({ code, message, hint }: { readonly code: string; readonly message: string; readonly hint: string | null }): MeshError {
  return new MeshError(Object.hasOwn(codes, code) ? (code as Code) : "internal", message, hint ?? undefined);
}
