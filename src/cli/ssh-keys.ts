import type { Held } from "../agent/agent.ts";
import { ed25519Blob, ed25519Signature } from "../applications/ssh/public-key.ts";
import { equalBytes } from "../bytes/equal.ts";
import { type Client, selfOf } from "../client/client.ts";
import { type OwnKey, ownKeyOf } from "../client/shares.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/**
 * What a home does as an agent of SSH: it offers this device's key, and signs with it.
 *
 * One key, so that none is tried in vain; none where SSH is not set up, or the home cannot be read now.
 */
export function sshKeys(clientNow: () => Promise<Client | undefined>): Held["ssh"] {
  return {
    offer: async () => {
      const own = await ownKeyOrNone(clientNow);
      return own === undefined ? [] : [{ blob: ed25519Blob(own.key.publicKey), comment: own.name }];
    },
    sign: async (blob, data) => {
      const own = await ownKeyOrNone(clientNow);
      if (own === undefined || !equalBytes(ed25519Blob(own.key.publicKey), blob)) return undefined;
      return ed25519Signature(await own.key.sign(data));
    },
  };
}

async function ownKeyOrNone(clientNow: () => Promise<Client | undefined>): Promise<{ readonly key: OwnKey; readonly name: string } | undefined> {
  try {
    const client = await clientNow();
    return client === undefined ? undefined : { key: await ownKeyOf(client, "ssh"), name: (await selfOf(client)).name };
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}
