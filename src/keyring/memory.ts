import { wipe } from "../bytes/equal.ts";
import { randomBytes } from "../crypto/random.ts";
import type { KeyringEntry, OpenKeyring } from "./keyring.ts";
import { closed, derived, keyMissing, newEntries, ROOT_OCTETS } from "./secrets.ts";
import { AddedKeys, decapsulateWith, signWith } from "./use.ts";

/** Makes a keyring that is gone with its process: for tests, and for keys that must not rest anywhere. */
export function openMemoryKeyring(): OpenKeyring {
  const root = randomBytes(ROOT_OCTETS);
  const kept = new Map<string, { readonly purpose: string; readonly secret: Uint8Array }>();
  const addedKeys = new AddedKeys();
  let isClosed = false;
  const held = (id: string) => {
    const one = kept.get(id);
    return one === undefined ? undefined : { purpose: one.purpose, secret: one.secret.slice() };
  };
  const demandOpen = (): void => {
    if (isClosed) throw closed();
  };
  const addAll = async (entries: readonly KeyringEntry[]): Promise<void> => {
    demandOpen();
    for (const { id, purpose, secret } of newEntries(entries, held)) kept.set(id, { purpose, secret: secret.slice() });
  };
  const open = async (id: string): Promise<Uint8Array> => {
    demandOpen();
    const one = held(id);
    if (one === undefined) throw keyMissing(id);
    return one.secret;
  };
  return {
    list: async () => {
      demandOpen();
      return Array.from(kept, ([id, { purpose }]) => ({ id, purpose }));
    },
    has: (id) => {
      demandOpen();
      return kept.has(id);
    },
    open,
    sign: (id, message) => signWith(open(id), message),
    signAdded: async (id, added, message) => {
      demandOpen();
      if (!kept.has(id)) throw keyMissing(id);
      return addedKeys.sign(id, added, message, () => open(id));
    },
    decapsulate: (id, ciphertext) => decapsulateWith(open(id), ciphertext),
    add: (id, purpose, secret) => addAll([{ id, purpose, secret }]),
    addAll,
    remove: async (id) => {
      demandOpen();
      const one = kept.get(id);
      if (one !== undefined) wipe(one.secret);
      kept.delete(id);
    },
    derive: async (label, length = 32) => {
      demandOpen();
      return derived(root, `derive/${label}`, length);
    },
    close: () => {
      isClosed = true;
      addedKeys.close();
      wipe(root);
      for (const { secret } of kept.values()) wipe(secret);
      kept.clear();
    },
  };
}
