import { type Answer, PROTOCOL, type Wish } from "./messages.ts";
import type { Asking } from "./place.ts";

/** So long an agent may take to answer, in milliseconds, before it is given up: one that hangs must hold up nobody for long. */
export const PATIENCE = 30_000;

/** A wish as the one line that an agent reads. */
export function lineFor({ place, build }: Asking, wish: Wish): string {
  return `${JSON.stringify({ v: PROTOCOL, build, home: place.home, ...wish })}\n`;
}

/** An agent's answer; undefined where it is cut off, or of another version. */
export function answerIn(line: Buffer): Answer | undefined {
  if (line.at(-1) !== 0x0a) return undefined;
  try {
    const answer = JSON.parse(line.toString("utf8")) as Answer;
    return answer.v === PROTOCOL ? answer : undefined;
  } catch {
    return undefined;
  }
}
