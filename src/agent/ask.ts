import { connect } from "node:net";

import { type Answer, MAX_ANSWER, PROTOCOL, type Wish } from "./messages.ts";
import { isPrivate, type Place } from "./place.ts";

/** Which agent is asked, and by whom. */
export type Asking = { readonly place: Place; readonly build: string };

/** So long an agent may take to answer, in milliseconds, before it is given up: one that hangs must hold up nobody for long. */
const PATIENCE = 30_000;

/**
 * Asks an agent one thing, over a connection of its own.
 *
 * Undefined where none answers, or not whole: whoever asked does it by itself. Its folder is looked at first: to a socket that somebody else
 * may have put there nothing is said.
 */
export function askAgent({ place, build }: Asking, wish: Wish, patience = PATIENCE): Promise<Answer | undefined> {
  if (!isPrivate(place.directory)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const socket = connect(place.socket);
    const finish = (answer: Answer | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(patience, () => finish(undefined));
    socket.on("error", () => finish(undefined));
    socket.on("close", () => resolve(undefined));
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (length > MAX_ANSWER) finish(undefined);
      else if (piece.at(-1) === 0x0a) finish(answerIn(Buffer.concat(pieces).toString("utf8")));
    });
    socket.end(`${JSON.stringify({ v: PROTOCOL, build, home: place.home, ...wish })}\n`);
  });
}

function answerIn(line: string): Answer | undefined {
  try {
    const answer = JSON.parse(line) as Answer;
    return answer.v === PROTOCOL ? answer : undefined;
  } catch {
    return undefined;
  }
}
