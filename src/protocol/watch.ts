import * as v from "valibot";

import type { Command } from "./command.ts";

const revision = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const request = v.strictObject({ after: v.optional(revision) });
const response = v.strictObject({ revision });

/** How often a stream in which nothing happens says that it is still there, in milliseconds: more often than proxies give up (nginx: 60 s). */
export const BEAT_MS = 45_000;
/** How long an answer is held at most that waits for a change, in milliseconds: less than clients and proxies wait for one. */
export const HELD_MS = 20_000;
/** How long a stream lasts, in milliseconds: then it ends, and its device is asked for its session again. */
export const STREAM_MS = 15 * 60_000;

/** The media type of a stream of events (WHATWG HTML, 9.2). */
export const STREAM_TYPE = "text/event-stream";

/** Watch: says when something of the mesh changes, and nothing of what; as a stream of events, or, with `after`, as one answer that waits for another revision (`docs/spec/portal.md` 6). */
export const watch: Command<v.InferOutput<typeof request>, v.InferOutput<typeof response>> = {
  name: "Watch",
  request,
  response,
  asker: "member",
  writes: false,
  refusals: ["service-rate-limited"],
};
