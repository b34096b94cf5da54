import { randomBytes } from "../crypto/random.ts";
import type { Keyring, KeyringEntry } from "./keyring.ts";
import { closed, derived, keyMissing, newEntries, ROOT_OCTETS } from "./secrets.ts";

/** A keyring that is gone with its process. */
export function openMemoryKeyring(): Keyring {
  const root = randomBytes(ROOT_OCTETS);
  const kept = new Map<string, { readonly purpose: string; readonly secret: Uint8Array }>();
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
  return {
    list: () => [...kept].map(([id, { purpose }]) => ({ id, purpose })),
    has: (id) => kept.has(id),
    open: async (id) => {
      demandOpen();
      const one = held(id);
      if (one === undefined) throw keyMissing(id);
      return one.secret;
    },
    add: (id, purpose, secret) => addAll([{ id, purpose, secret }]),
    addAll,
    remove: async (id) => {
      kept.delete(id);
    },
    derive: (label, length = 32) => {
      demandOpen();
      return derived(root, `derive/${label}`, length);
    },
    close: () => {
      isClosed = true;
    },
  };
}
