import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";

import { withFileLock } from "../machine/file-lock.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { askAgent } from "./ask.ts";
import { type Answer, MAX_REQUEST, PROTOCOL, type Request } from "./messages.ts";
import { isPrivate, type Place } from "./place.ts";
import { readRequest } from "./requests.ts";

/** The most connections at once; whoever comes then is turned away, and does by itself what it came for. */
const MAX_CONNECTIONS = 512;
/** So long a caller has for its one line, and for taking the answer, in milliseconds. */
const [LINE_MS, ANSWER_MS] = [5_000, 30_000];

/** A socket on which an agent answers, one line for one line. */
export type Listening = {
  /** Takes the socket away, if it is still this agent's, and lets nobody in any more. */
  close(): void;
  /** Whether the socket is still there and this agent's: its folder may be taken away at any time. */
  isReachable(): boolean;
};

/** How the caller at the other end of a connection is judged; undefined where the kernel does not say. */
export type PeerOf = ((descriptor: number) => { readonly pid: number; readonly uid: number } | undefined) | undefined;

/**
 * Listens where the agent of a home does, for its own user alone.
 *
 * Of two that start at once one listens, and the other throws `agent-running`; what a killed one left behind is replaced. `agent-failed` where
 * nothing can listen there.
 */
export async function listen(place: Place, peerOf: PeerOf, answer: (request: Request) => Promise<Answer>): Promise<Listening> {
  prepareFolder(place);
  let isOpen = true;
  const server = createServer({ allowHalfOpen: true }, (socket) => void (isOpen ? attend(socket, peerOf, answer) : socket.destroy()));
  server.maxConnections = MAX_CONNECTIONS;
  await takePlace(server, place);
  // A connection that could not be taken is its caller's loss, not the agent's end.
  server.on("error", () => {});
  const mark = markOf(place.socket);
  const isReachable = (): boolean => mark !== undefined && markOf(place.socket) === mark;
  return {
    isReachable,
    close: () => {
      isOpen = false;
      // Not by closing the server, which would take away whatever has the name now.
      if (isReachable()) rmSync(place.socket, { force: true });
      server.unref();
    },
  };
}

/** Binds the socket, where nobody answers at it; under a lock, since between finding that out and binding nobody else may do the same. */
async function takePlace(server: Server, place: Place): Promise<void> {
  try {
    await withFileLock(place.socket, () => new MeshError("agent-failed", `Another agent is starting in ${place.directory}.`, "Try again."), async () => {
      const other = await askAgent({ place, build: "" }, { ask: "status" }, 2_000);
      demand(other === undefined, "agent-running", "An agent of this home is running already.", "To end it: mesh lock");
      rmSync(place.socket, { force: true });
      await bound(server, place.socket);
      chmodSync(place.socket, 0o600);
    });
  } catch (error) {
    if (error instanceof MeshError) throw error;
    throw new MeshError("agent-failed", `Nothing can be made in ${place.directory}.`, "See whether the disk is full, or cannot be written.", error);
  }
}

function prepareFolder({ directory }: Place): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new MeshError("agent-failed", `The folder ${directory} cannot be made (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
  demand(isPrivate(directory), "agent-failed", `The folder ${directory} is not this user's alone.`, `Take it away, or close it: chmod 700 '${directory}'`);
}

/** Has a server listen at a path; `agent-failed` where nothing can. */
export function bound(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(new MeshError("agent-failed", `Nothing can listen at ${path} (${error.code ?? "unknown"}).`)));
    server.listen({ path, backlog: MAX_CONNECTIONS }, resolve);
  });
}

/** What a file is, whatever its name; undefined where there is none. */
export function markOf(path: string): string | undefined {
  try {
    // With its time: the number of a file that is gone is soon another's.
    const { dev, ino, ctimeNs } = lstatSync(path, { bigint: true });
    return `${dev}-${ino}-${ctimeNs}`;
  } catch {
    return undefined;
  }
}

/** One connection: a caller that is the same user, one line, one answer. */
async function attend(socket: Socket, peerOf: PeerOf, answer: (request: Request) => Promise<Answer>): Promise<void> {
  socket.on("error", () => socket.destroy());
  if (!isSameUser(socket, peerOf)) return void socket.destroy();
  const line = await firstLine(socket);
  if (line === undefined) return void socket.destroy();
  const request = readRequest(line);
  line.fill(0);
  const said: Answer = typeof request === "string" ? { v: PROTOCOL, declined: request } : await answer(request);
  socket.setTimeout(ANSWER_MS, () => socket.destroy());
  socket.end(`${JSON.stringify(said)}\n`);
}

/** Whether who is at the other end of a connection is this process's user. */
export function isSameUser(socket: Socket, peerOf: PeerOf): boolean {
  // Where the kernel cannot be asked, the folder's mode is what keeps others out.
  return peerOf === undefined || peerAt(socket, peerOf)?.uid === process.geteuid?.();
}

/** Who is at the other end of a connection; undefined where the kernel does not say. */
export function peerAt(socket: Socket, peerOf: PeerOf): ReturnType<NonNullable<PeerOf>> {
  // The engine keeps the descriptor to itself; one that hides it better lets nobody in.
  const { fd } = (Reflect.get(socket, "_handle") ?? {}) as { readonly fd?: number };
  return fd === undefined ? undefined : peerOf?.(fd);
}

/** The first line of a connection, without its end; undefined where none comes in time, or none of a size that a request has. */
function firstLine(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const deadline = setTimeout(() => finish(undefined), LINE_MS);
    const finish = (line: Buffer | undefined): void => {
      clearTimeout(deadline);
      socket.off("data", take);
      // What else comes is not read.
      socket.pause();
      resolve(line);
    };
    const take = (piece: Buffer): void => {
      const end = piece.indexOf(0x0a);
      pieces.push(end < 0 ? piece : piece.subarray(0, end));
      length += piece.length;
      if (length > MAX_REQUEST) return finish(undefined);
      if (end < 0) return;
      finish(Buffer.concat(pieces));
      // It may be a passphrase.
      for (const one of pieces) one.fill(0);
    };
    socket.on("data", take);
    socket.once("end", () => finish(undefined));
    socket.once("close", () => finish(undefined));
  });
}
