import { concatBytes } from "../bytes/equal.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";

/** The most octets of one event of a stream; a portal's have about 50. */
export const MAX_EVENT = 16 << 10;

/** One event: its data, and over how many milliseconds whoever hears it is to spread coming back, once the stream is over. */
export type Event = { readonly data?: Uint8Array | undefined; readonly retry?: number | undefined };

/** An event as it is sent; one without data says only that the stream is still there. */
export function writeEvent({ data, retry }: Event): Uint8Array {
  const lines = [...(retry === undefined ? [] : [`retry: ${retry}`]), ...(data === undefined ? [] : [`data: ${fromUtf8(data)}`])];
  return utf8(`${lines.join("\n")}\n\n`);
}

/**
 * The events in a stream (WHATWG HTML, 9.2), as far as a portal's use it: `retry: MILLISECONDS`, `data: TEXT` on one line, an empty line; all else is passed over.
 *
 * What does not end is not awaited for ever: `service-answer-too-large` after {@link MAX_EVENT} octets. What is no text is `answer-malformed`.
 */
export async function* eventsIn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Event> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of pieces) {
    rest = concatBytes(rest, piece);
    for (let end = endOf(rest); end >= 0; end = endOf(rest)) {
      demand(end <= MAX_EVENT, "service-answer-too-large", "The portal sends an event without end.");
      yield readEvent(textOf(rest.subarray(0, end)));
      rest = rest.slice(end + 2);
    }
    demand(rest.length <= MAX_EVENT, "service-answer-too-large", "The portal sends an event without end.");
  }
}

function textOf(octets: Uint8Array): string {
  try {
    return fromUtf8(octets);
  } catch (error) {
    throw new MeshError("answer-malformed", "The portal sends events that are no text.", undefined, error);
  }
}

function readEvent(text: string): Event {
  const data = /^data: ?(.*)$/m.exec(text)?.[1];
  const retry = /^retry: ?([0-9]{1,9})$/m.exec(text)?.[1];
  return { data: data === undefined ? undefined : utf8(data), retry: retry === undefined ? undefined : Number(retry) };
}

/** Where the first event ends, at an empty line; -1 where none does yet. */
function endOf(octets: Uint8Array): number {
  for (let at = 0; at + 1 < octets.length; at++) if (octets[at] === 0x0a && octets[at + 1] === 0x0a) return at;
  return -1;
}
