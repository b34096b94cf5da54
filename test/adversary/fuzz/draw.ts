import * as fc from "fast-check";

import { type Cheat, REFUSALS, type What } from "./cheats.ts";
import { lies } from "./lies.ts";
import { type Asked, prepare, prepareNobody, type Prepared } from "./prepared.ts";
import type { Deed } from "./deeds.ts";
import type { Step } from "./story.ts";

/** Who is in a prepared household, who administers it, who asks to be let in, and how. */
type Cast = { readonly members: readonly string[]; readonly administrators: readonly string[]; readonly guests: readonly string[]; readonly asked: Asked };

/** A small household, one that a guest asks to join, one with two administration devices, one that a guest asks to join by words, which costs runs of Argon2id, and a device that is to make a mesh. */
const casts: readonly Cast[] = [
  { members: ["desktop", "laptop"], administrators: ["desktop"], guests: [], asked: "pin" },
  { members: ["desktop", "laptop", "phone"], administrators: ["desktop"], guests: ["guest"], asked: "pin" },
  { members: ["desktop", "tower", "laptop", "phone"], administrators: ["desktop", "tower"], guests: [], asked: "pin" },
  { members: ["desktop", "laptop"], administrators: ["desktop"], guests: ["guest"], asked: "words" },
  { members: ["founder"], administrators: [], guests: [], asked: "pin" },
];

const households: readonly ((bob: boolean) => Promise<Prepared>)[] = [
  (bob) => prepare({ laptop: "member" }, {}, ["github"], bob),
  (bob) => prepare({ laptop: "member", phone: "member" }, { guest: "pin" }, ["github"], bob),
  (bob) => prepare({ tower: "admin", laptop: "member", phone: "member" }, {}, ["github"], bob),
  (bob) => prepare({ laptop: "member" }, { guest: "words" }, ["github"], bob),
  (bob) => prepareNobody("founder", bob),
];

/** Makes the household of each cast, once; with another account to mix it up with where a portal cheats. */
export function prepareAll(bob = true): Promise<readonly Prepared[]> {
  return Promise.all(households.map((make) => make(bob)));
}

/** Makes the household of one cast. */
export function prepareOne(cast: number): Promise<Prepared> {
  return households[cast]?.(true) ?? Promise.reject(new RangeError(String(cast)));
}

/** A story without or with cheats, in one of the prepared households; `search` says whether it is searched in the end for what whoever was cut off can read. */
export type Story = { readonly cast: number; readonly steps: readonly Step[]; readonly cheats: readonly Cheat[]; readonly search: boolean };

function deedsOf({ members, administrators, guests, asked }: Cast): fc.Arbitrary<Deed> {
  const all = [...members, ...guests];
  const who = fc.constantFrom(...members);
  const nth = fc.nat({ max: 2 });
  const sent = fc.boolean();
  const deed = <T extends Deed>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary: arbitrary as fc.Arbitrary<Deed> });
  const edits = [
    deed(12, fc.record({ do: fc.constant("sync" as const), who })),
    deed(4, fc.record({ do: fc.constant("add" as const), who, sent })),
    deed(5, fc.record({ do: fc.constant("edit" as const), who, nth, field: fc.constantFrom("username" as const, "password" as const), sent })),
    deed(2, fc.record({ do: fc.constant("remove" as const), who, nth, sent })),
    deed(3, fc.record({ do: fc.constant("attach" as const), who, nth, sent })),
    deed(2, fc.record({ do: fc.constantFrom("detach" as const, "purge" as const), who, nth, sent })),
    deed(2, fc.record({ do: fc.constant("read files" as const), who })),
  ];
  if (administrators.length === 0) return fc.oneof(...edits, deed(12, fc.record({ do: fc.constant("create" as const), who })));
  const admin = fc.constantFrom(...administrators);
  const guest = guests.length === 0 ? who : fc.constantFrom(...guests);
  const ofGuests = guests.length === 0 ? [] : [
    deed(6, fc.record({ do: fc.constant("join" as const), who: guest })),
    deed(1, fc.record({ do: fc.constant("reject all" as const), who: admin })),
    deed(3, fc.record({ do: fc.constant("sync" as const), who: guest })),
  ];
  const byWords = asked === "pin" ? [] : [
    deed(8, fc.record({ do: fc.constant("accept" as const), who: admin, whom: guest })),
    deed(8, fc.record({ do: fc.constant("type words" as const), who: guest })),
  ];
  return fc.oneof(
    ...edits,
    deed(2, fc.record({ do: fc.constant("write a snapshot" as const), who: admin })),
    deed(3, fc.record({ do: fc.constant("disable" as const), who, whom: fc.constantFrom(...all) })),
    deed(1, fc.record({ do: fc.constant("unsuspend" as const), who: admin, whom: fc.constantFrom(...members) })),
    deed(1, fc.record({ do: fc.constant("leave" as const), who })),
    deed(1, fc.record({ do: fc.constant("rename" as const), who, whom: fc.constantFrom(...members) })),
    ...ofGuests,
    ...byWords,
  );
}

/** What happens one after another; and what happens at once, where it matters to nobody which of two devices was told something false. */
function stepsOf(cast: Cast, honest: boolean): fc.Arbitrary<readonly Step[]> {
  const deed = deedsOf(cast);
  const wait = fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(1, 25, 80) });
  const past = cast.administrators.map((who): { weight: number; arbitrary: fc.Arbitrary<Step> } => ({ weight: 1, arbitrary: fc.constant({ do: "let the past go", who }) }));
  const together = fc.record({ do: fc.constant("together" as const), deeds: fc.tuple(deed, deed) }).filter(({ deeds: [one, other] }) => one.who !== other.who);
  const atOnce = honest && cast.members.length + cast.guests.length > 1;
  const step = fc.oneof({ weight: 36, arbitrary: deed as fc.Arbitrary<Step> }, { weight: 1, arbitrary: wait }, ...past, ...(atOnce ? [{ weight: 6, arbitrary: together }] : []));
  // Whatever the portal does last meets everybody.
  return fc.array(step, { minLength: 3, maxLength: 9, size: "max" }).map((steps) => [...steps, ...cast.members.map((one): Step => ({ do: "sync", who: one }))]);
}

/** Lies about what is asked often, or only when something is new, as often as each other. */
const lie = fc.oneof(...Object.entries(lies).map(([of, all]) => ({ weight: of.startsWith("Connect") || of === "Get" ? 1 : of === "GetBlob" ? 2 : 5, arbitrary: fc.constantFrom(...Object.keys(all)).map((telling) => ({ of, telling })) })));
const commandNames = ["reads", "reads", "writes", "Status", "GetProfiles", "CatalogRead", "CatalogAppend", "Publish", "GetBlob", "PutBlob", "CreateAccount"];

/** What is kept from being done: mostly what changes something, since others get in first then. */
const disturbed = fc.oneof(fc.constant("writes"), fc.constant("CatalogAppend"), fc.constantFrom(...commandNames));

const what: fc.Arbitrary<What> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("drop" as const), of: disturbed, done: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("refuse" as const), of: disturbed, saying: fc.constantFrom(...REFUSALS), done: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("swallow" as const), of: fc.constantFrom("writes", "writes", "PutBlob") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("delay" as const), saying: fc.constantFrom("yes" as const, "no" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("do twice" as const), of: fc.constantFrom(...commandNames) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("answer unauthenticated" as const), of: fc.constantFrom(...commandNames) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut short" as const), of: fc.constantFrom(...commandNames) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("replay" as const), of: fc.constantFrom("reads", "Status", "GetProfiles", "CatalogRead"), back: fc.nat({ max: 6 }) }) },
  { weight: 20, arbitrary: fc.record({ pick: fc.nat({ max: 7 }), about: lie }).map(({ pick, about }) => ({ do: "lie" as const, ...about, pick })) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mix accounts" as const), of: fc.constantFrom("reads", "Status", "GetProfiles", "CatalogRead", "Get") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forget sessions" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("roll back" as const), steps: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("fork" as const), passwordsOnly: fc.boolean() }) },
);

function cheatsOf({ members, guests }: Cast): fc.Arbitrary<readonly Cheat[]> {
  const against = fc.oneof(fc.constant("all"), fc.constantFrom(...members, ...guests));
  return fc.array(fc.record({ at: fc.nat({ max: 6 }), over: fc.integer({ min: 1, max: 8 }), against, what }), { minLength: 1, maxLength: 5, size: "max" });
}

/** The larger households more often: more happens in them. */
const castDrawn = fc.constantFrom(0, 1, 1, 1, 2, 2, 2, 3, 4);

function storyOf(cast: number, honest: boolean): fc.Arbitrary<Story> {
  const of = casts[cast] as Cast;
  return fc.record({ cast: fc.constant(cast), steps: stepsOf(of, honest), cheats: honest ? fc.constant([]) : cheatsOf(of), search: fc.boolean() });
}

/** Stories that a portal does not meddle with. */
export const honest: fc.Arbitrary<Story> = castDrawn.chain((cast) => storyOf(cast, true));

/** Stories in which it does. */
export const cheated: fc.Arbitrary<Story> = castDrawn.chain((cast) => storyOf(cast, false));
