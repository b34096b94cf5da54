import { connect } from "node:net";

import { answerIn, lineFor, PATIENCE } from "./line.ts";
import { type Answer, MAX_ANSWER, type Wish } from "./messages.ts";
import { type Asking, isPrivate } from "./place.ts";

/**
 * Asks an agent one thing, over a connection of its own.
 *
 * Undefined where none answers, or not whole: whoever asked does it by itself. Its folder is looked at first: to a socket that somebody else
 * may have put there nothing is said.
 */
export function askAgent(asking: Asking, wish: Wish, patience = PATIENCE): Promise<Answer | undefined> {
  const { place } = asking;
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
      else if (piece.at(-1) === 0x0a) finish(answerIn(Buffer.concat(pieces)));
    });
    socket.end(lineFor(asking, wish));
  });
}
