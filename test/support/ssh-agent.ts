import { createServer } from "node:net";

import { AgentSession, type Bound, type Identity } from "../../src/applications/ssh/agent-session.ts";
import { ed25519Signature } from "../../src/applications/ssh/public-key.ts";
import type { Purpose } from "../../src/applications/ssh/signed-data.ts";
import { equalBytes } from "../../src/bytes/equal.ts";

/** An agent with one key, on a socket of its own, and what it was asked. */
export async function serveAgent(path: string, key: { sign(message: Uint8Array): Uint8Array | Promise<Uint8Array> }, identities: readonly Identity[]) {
  const asked: { readonly purpose: Purpose; readonly bound: readonly Bound[] }[] = [];
  const server = createServer((socket) => {
    const session = new AgentSession({
      offer: async () => identities,
      sign: async (blob, data, purpose, bound) => {
        asked.push({ purpose, bound: [...bound] });
        return identities.some((one) => equalBytes(one.blob, blob)) ? ed25519Signature(await key.sign(data)) : undefined;
      },
      lock: async () => false,
    });
    void (async () => {
      for await (const piece of socket) for await (const answer of session.take(piece as Uint8Array)) socket.write(answer);
    })().catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, asked, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
