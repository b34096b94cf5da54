import type { Held } from "../agent/agent.ts";
import { ed25519Blob, ed25519Signature } from "../applications/ssh/public-key.ts";
import { questionFor } from "../applications/ssh/question.ts";
import { equalBytes } from "../bytes/equal.ts";
import { readEntries } from "../client/catalog.ts";
import { type Client, selfOf } from "../client/client.ts";
import { type OwnKey, ownKeyOf } from "../client/shares.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { confirmingOf, nameByKey, type Read } from "./ssh/confirming.ts";
import { ownCertificates } from "./ssh/own-certificates.ts";

type Own = { readonly key: OwnKey; readonly blobs: readonly Uint8Array[]; readonly name: string };

/**
 * What a home does as an agent of SSH: it offers this device's key, and signs with it.
 *
 * One key, its certificates before it as it is: a managed server takes the first of them, a plain one the last; none where SSH is not set up, or the home
 * cannot be read now.
 */
export function sshKeys(clientNow: () => Promise<Client | undefined>): Held["ssh"] {
  let last: Own | undefined;
  let wanted: Read | undefined;
  const read = async (): Promise<Own | undefined> => (last = await ownOrNone(clientNow));
  return {
    offer: async () => {
      const own = await read();
      return own === undefined ? [] : own.blobs.map((blob) => ({ blob, comment: own.name }));
    },
    question: async (_blob, purpose, bound) => {
      const client = await clientNow();
      // What she wants cannot be read: nothing is signed then.
      if (client === undefined) throw new MeshError("home-missing", "The home of this agent cannot be read now.");
      wanted = await confirmingOf(client, wanted);
      const { confirming } = wanted;
      if (confirming.all === "never" && Object.keys(confirming.hosts).length === 0) return undefined;
      const entries = await readEntries(client, "ssh");
      return questionFor(confirming, purpose, bound, (key) => nameByKey(entries, key));
    },
    sign: async (blob, data) => {
      // A client was shown the key before it asks for its signature: the home is read again only if that was another.
      const own = isOf(last, blob) ? last : await read();
      return isOf(own, blob) ? ed25519Signature(await own.key.sign(data)) : undefined;
    },
  };
}

function isOf(own: Own | undefined, blob: Uint8Array): own is Own {
  return own !== undefined && own.blobs.some((one) => equalBytes(one, blob));
}

async function ownOrNone(clientNow: () => Promise<Client | undefined>): Promise<Own | undefined> {
  try {
    const client = await clientNow();
    if (client === undefined) return undefined;
    const key = await ownKeyOf(client, "ssh");
    return { key, blobs: [...(await ownCertificates(client, key.publicKey)), ed25519Blob(key.publicKey)], name: (await selfOf(client)).name };
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}
