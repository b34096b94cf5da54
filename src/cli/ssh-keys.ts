import type { Held } from "../agent/agent.ts";
import { ed25519Blob, ed25519Signature } from "../applications/ssh/public-key.ts";
import { equalBytes } from "../bytes/equal.ts";
import { type Client, selfOf } from "../client/client.ts";
import { type OwnKey, ownKeyOf } from "../client/shares.ts";
import { MeshError } from "../refusals/mesh-error.ts";

type Own = { readonly key: OwnKey; readonly blob: Uint8Array; readonly name: string };

/**
 * What a home does as an agent of SSH: it offers this device's key, and signs with it.
 *
 * One key, so that none is tried in vain; none where SSH is not set up, or the home cannot be read now.
 */
export function sshKeys(clientNow: () => Promise<Client | undefined>): Held["ssh"] {
  let last: Own | undefined;
  const read = async (): Promise<Own | undefined> => (last = await ownOrNone(clientNow));
  return {
    offer: async () => {
      const own = await read();
      return own === undefined ? [] : [{ blob: own.blob, comment: own.name }];
    },
    sign: async (blob, data) => {
      // A client was shown the key before it asks for its signature: the home is read again only if that was another.
      const own = last !== undefined && equalBytes(last.blob, blob) ? last : await read();
      return own === undefined || !equalBytes(own.blob, blob) ? undefined : ed25519Signature(await own.key.sign(data));
    },
  };
}

async function ownOrNone(clientNow: () => Promise<Client | undefined>): Promise<Own | undefined> {
  try {
    const client = await clientNow();
    if (client === undefined) return undefined;
    const key = await ownKeyOf(client, "ssh");
    return { key, blob: ed25519Blob(key.publicKey), name: (await selfOf(client)).name };
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}
