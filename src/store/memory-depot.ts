import type { Depot } from "./depot.ts";

/** Opens an empty depot that lives as long as the process. */
export function openMemoryDepot(now: () => number = Date.now): Depot {
  const held = new Map<string, { readonly octets: Uint8Array; at: number }>();
  return {
    put: async (name, octets) => void held.set(name, { octets: held.get(name)?.octets ?? new Uint8Array(octets), at: now() }),
    get: async (name) => {
      const octets = held.get(name)?.octets;
      return octets && new Uint8Array(octets);
    },
    linger: async (name) => {
      const one = held.get(name);
      if (one !== undefined) one.at = now();
    },
    list: async function* () {
      for (const [name, { at }] of held) yield { name, at };
    },
    remove: async (name, before) => (held.get(name)?.at ?? Number.POSITIVE_INFINITY) < before && held.delete(name),
  };
}
