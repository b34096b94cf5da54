import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";

import { type AgentKeys, AgentSession } from "../applications/ssh/agent-session.ts";
import { bound, isSameUser, type Listening, markOf, peerAt, type PeerOf } from "./serve.ts";
import type { Place } from "./place.ts";

/** The most clients at once: a login has one, and a program that starts many has one for each. */
const MAX_CLIENTS = 256;

/** What is done for a client: by the process that connected, where the kernel says which, until it is gone. */
export type KeysFor = (client: { readonly pid: number | undefined; readonly gone: AbortSignal }) => AgentKeys;

/**
 * Answers as an agent of SSH at the socket `ssh.sock` next to the agent's own, for the same user alone; who listens there is settled by the agent's own socket.
 *
 * A client is served until it goes; whoever breaks the form of messages is cut off. Where there are too many, the one goes that has said nothing for longest: so
 * clients that only hold a connection shut nobody out. `agent-failed` where nothing can listen there.
 */
export async function listenSsh({ sshSocket }: Place, peerOf: PeerOf, keysFor: KeysFor): Promise<Listening> {
  const clients = new Set<Socket>();
  // In the order in which they began to wait.
  const idle = new Set<Socket>();
  const server = createServer((socket) => {
    if (!isSameUser(socket, peerOf)) return void socket.destroy();
    if (clients.size >= MAX_CLIENTS) (idle.values().next().value ?? socket).destroy();
    if (socket.destroyed) return;
    const gone = new AbortController();
    clients.add(socket);
    socket.once("close", () => {
      clients.delete(socket);
      idle.delete(socket);
      gone.abort();
    });
    void attend(socket, idle, new AgentSession(keysFor({ pid: peerAt(socket, peerOf)?.pid, gone: gone.signal })));
  });
  server.on("error", () => {});
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

async function attend(socket: Socket, idle: Set<Socket>, session: AgentSession): Promise<void> {
  // A client that only waits keeps no process: what the agent ends for is decided elsewhere.
  socket.unref();
  socket.on("error", () => socket.destroy());
  idle.add(socket);
  try {
    for await (const piece of socket) {
      idle.delete(socket);
      for await (const answer of session.take(piece as Uint8Array)) {
        await written(socket, answer);
        // What else it asked is not looked at.
        if (socket.destroyed) return;
      }
      if (!socket.destroyed) idle.add(socket);
    }
  } catch {
    // What cannot be told from its neighbours, or a client that went in the middle.
  } finally {
    socket.destroy();
  }
}

/** Writes an answer, and returns when the client takes the next: one that asks without end and reads nothing costs no more than its own connection. */
function written(socket: Socket, answer: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.write(answer)) return resolve();
    socket.once("drain", resolve).once("close", resolve);
  });
}
