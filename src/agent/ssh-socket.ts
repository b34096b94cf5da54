import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";

import { type AgentKeys, AgentSession } from "../applications/ssh/agent-session.ts";
import { bound, isSameUser, type Listening, markOf, type PeerOf } from "./serve.ts";
import type { Place } from "./place.ts";

/** The most clients at once: a login has one, and a program that starts many has one for each. */
const MAX_CLIENTS = 256;

/**
 * Answers as an agent of SSH at the socket `ssh.sock` next to the agent's own, for the same user alone; who listens there is settled by the agent's own socket.
 *
 * A client is served until it goes; whoever breaks the form of messages is cut off. `agent-failed` where nothing can listen there.
 */
export async function listenSsh({ sshSocket }: Place, peerOf: PeerOf, keys: AgentKeys): Promise<Listening> {
  const server = createServer((socket) => void (isSameUser(socket, peerOf) ? attend(socket, keys) : socket.destroy()));
  server.maxConnections = MAX_CLIENTS;
  rmSync(sshSocket, { force: true });
  await bound(server, sshSocket);
  chmodSync(sshSocket, 0o600);
  const mark = markOf(sshSocket);
  const isReachable = (): boolean => mark !== undefined && markOf(sshSocket) === mark;
  return {
    isReachable,
    close: () => {
      if (isReachable()) rmSync(sshSocket, { force: true });
      server.unref();
    },
  };
}

async function attend(socket: Socket, keys: AgentKeys): Promise<void> {
  // A client that only waits keeps no process: what the agent ends for is decided elsewhere.
  socket.unref();
  socket.on("error", () => socket.destroy());
  const session = new AgentSession(keys);
  try {
    for await (const piece of socket) for await (const answer of session.take(piece as Uint8Array)) socket.write(answer);
  } catch {
    // What cannot be told from its neighbours, or a client that went in the middle.
  } finally {
    socket.destroy();
  }
}
