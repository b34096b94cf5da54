import { CONTEST_MS } from "./types.ts";

/*
 * The rule of suspensions (decision 4.5) a second time, as plain as can be and without regard to cost: nothing is kept
 * from event to event; whether somebody is suspended is asked anew, of all events, each time.
 */

/** `signer` and `target` are parties; `rank` and `targetRank` what they were when it was signed; `subject` is the place of an earlier event. */
export type ModelEvent = {
  readonly action: "suspend" | "confirm" | "lift";
  readonly signer: string;
  readonly rank: number;
  readonly target: string;
  readonly targetRank: number;
  readonly subject: number;
  readonly arrived: number;
  /** The rank, at the time of this event, of whoever signed the subject. */
  readonly subjectRank: number;
  /** The devices that a party had let in, at most 72 h before this event. */
  readonly admitted: Readonly<Record<string, readonly string[]>>;
};

/** Whether a party is suspended after the first `count` events, at a time. */
export function modelSuspended(events: readonly ModelEvent[], count: number, party: string, now: number): boolean {
  return events.slice(0, count).some((_, place) => holds(events, count, place, party, now));
}

/** Whether the suspension at a place holds a party. */
function holds(events: readonly ModelEvent[], count: number, place: number, party: string, now: number): boolean {
  const event = events[place] as ModelEvent;
  if (event.action !== "suspend" || !counts(events, place)) return false;
  const firm = event.rank < event.targetRank || event.signer === event.target;
  // Whoever suspends itself takes nobody along.
  const falls = (who: string) => who === party || (event.signer !== event.target && (event.admitted[who] ?? []).includes(party));
  const firmly = firm ? falls(event.target) : falls(event.signer);
  const contested = !firm && falls(event.target);
  // Both reasons are one suspension's hold; a lift ends whichever there is.
  const liftedBy = later(events, count, place, party, "lift");
  if (liftedBy.some(({ rank, subjectRank }) => rank === 0 || rank < subjectRank)) return false;
  if (firmly) return true;
  if (!contested) return false;
  const confirmed = later(events, count, place, party, "confirm").some((one) => one.rank < one.targetRank && one.arrived < event.arrived + CONTEST_MS);
  return confirmed || now < event.arrived + CONTEST_MS;
}

function later(events: readonly ModelEvent[], count: number, place: number, party: string, action: "lift" | "confirm"): readonly ModelEvent[] {
  return events.slice(0, count).filter((one, at) => at > place && one.action === action && one.subject === place && one.target === party && counts(events, at));
}

/** What a suspended signer signs counts for nothing. */
function counts(events: readonly ModelEvent[], place: number): boolean {
  const event = events[place] as ModelEvent;
  return !modelSuspended(events, place, event.signer, event.arrived);
}
