import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import type { What } from "./cheats.ts";
import { prepareOne } from "./draw.ts";
import { lies } from "./lies.ts";
import type { Prepared } from "./prepared.ts";
import { play, type Step } from "./story.ts";

const sync = (who: string): Step => ({ do: "sync", who });
const add = (who: string): Step => ({ do: "add", who, sent: false });
const disable = (who: string, whom: string): Step => ({ do: "disable", who, whom });

/** What is played on whom over which steps, and the codes that it must end in, by the step at which they must be told; nothing else is told. */
type Case = readonly [title: string, steps: readonly Step[], cheat: { readonly at: number; readonly over: number; readonly against: string; readonly what: What }, alarms: Readonly<Record<number, string>>];

const lie = (of: string, telling: string, pick = 0): What => ({ do: "lie", of, telling, pick });
const told = (of: string, telling: string, against: string, steps: readonly Step[], at: number, code: string): Case => [`it tells of ${of} ${telling}`, steps, { at, over: 1, against, what: lie(of, telling) }, { [at]: code }];

const edited = [add("laptop"), sync("laptop"), sync("phone")];
const twice = [add("laptop"), sync("laptop"), add("laptop"), sync("laptop"), sync("phone")];
const attached: readonly Step[] = [{ do: "attach", who: "laptop", nth: 0, sent: true }, sync("phone"), { do: "read files", who: "phone" }];
const disabled = [disable("desktop", "laptop"), sync("phone")];

// The phone lacks a change that the portal forgets.
const away: readonly Step[] = [add("desktop"), { do: "let the past go", who: "desktop" }, sync("laptop"), sync("phone"), sync("desktop")];

const cases: readonly Case[] = [
  ["it goes back to before an edit that a device made", [...edited, sync("laptop")], { at: 3, over: 1, against: "laptop", what: { do: "roll back", steps: 3 } }, { 3: "portal-older-catalog" }],
  ["it goes back to before a device was disabled", [...disabled, sync("phone")], { at: 2, over: 1, against: "phone", what: { do: "roll back", steps: 2 } }, { 2: "portal-older-profile" }],
  ["it acknowledges an edit and forgets it", [add("laptop"), sync("laptop")], { at: 1, over: 1, against: "laptop", what: { do: "swallow", of: "writes" } }, { 1: "portal-older-catalog" }],
  ["it acknowledges an edit and takes it later", edited, { at: 0, over: 2, against: "laptop", what: { do: "delay", saying: "yes" } }, { 1: "portal-older-catalog" }],
  ["it acknowledges a disabling and forgets it", [disable("desktop", "laptop"), sync("desktop")], { at: 0, over: 1, against: "desktop", what: { do: "swallow", of: "writes" } }, { 0: "portal-older-profile", 1: "portal-older-profile" }],
  ["it shows two devices two histories and joins them", [add("laptop"), sync("laptop"), add("phone"), sync("phone"), sync("phone"), sync("laptop")], { at: 0, over: 4, against: "laptop", what: { do: "fork", passwordsOnly: false } }, { 5: "portal-forked-catalog" }],
  ["it answers one account with what is another's", edited, { at: 2, over: 1, against: "phone", what: { do: "mix accounts", of: "CatalogRead" } }, { 2: "portal-false-data" }],
  ["it replays the commits that it showed before", [...edited, add("laptop"), sync("laptop"), sync("phone")], { at: 5, over: 1, against: "phone", what: { do: "replay", of: "CatalogRead", back: 0 } }, { 5: "portal-false-data" }],
  ["it answers without authentication", edited, { at: 2, over: 1, against: "phone", what: { do: "answer unauthenticated", of: "Status" } }, { 2: "portal-answer-forged" }],
  ["it cuts its answers short", edited, { at: 2, over: 1, against: "phone", what: { do: "cut short", of: "reads" } }, { 2: "portal-false-data" }],
  told("CatalogRead", "with a spoiled signature", "phone", edited, 2, "portal-false-data"),
  told("CatalogRead", "without bodies", "phone", edited, 2, "portal-false-data"),
  told("CatalogRead", "with half a body", "phone", edited, 2, "portal-false-data"),
  told("CatalogRead", "none of them", "phone", edited, 2, "portal-older-catalog"),
  told("CatalogRead", "in another order", "phone", twice, 4, "portal-false-data"),
  told("CatalogRead", "the first three thousand times", "phone", twice, 4, "portal-false-data"),
  told("GetProfiles", "no versions", "phone", disabled, 1, "portal-missing-profile"),
  told("GetProfiles", "versions with a spoiled signature", "phone", disabled, 1, "portal-false-data"),
  told("GetBlob", "octets of which one is another", "phone", attached, 2, "portal-false-data"),
  told("GetBlob", "fewer octets", "phone", attached, 2, "portal-false-data"),
  told("GetBlob", "more octets", "phone", attached, 2, "portal-false-data"),
  ["it forgets a file that it took", attached, { at: 0, over: 1, against: "laptop", what: { do: "swallow", of: "PutBlob" } }, { 2: "portal-missing-blob" }],
  told("Status", "an older version", "desktop", [disable("desktop", "laptop"), sync("desktop")], 1, "portal-older-profile"),
  told("Status", "another version under the same number", "phone", edited, 2, "profile-two-versions"),
  told("Status", "no heads", "phone", edited, 2, "portal-older-catalog"),
  told("Status", "a head beyond all numbers", "phone", edited, 2, "portal-older-catalog"),
  told("CatalogRead", "that they were forgotten, by nobody's word", "phone", edited, 2, "portal-older-catalog"),
  told("CatalogRead", "releases with a spoiled signature", "phone", away, 3, "portal-false-data"),
  told("CatalogRead", "that they were forgotten, by nobody's word", "phone", away, 3, "portal-older-catalog"),
  ...["a digest of which one octet is another", "two digests exchanged", "half a digest too few", "no digests"].map((telling) => told("CatalogTrail", telling, "phone", away, 3, "portal-false-data")),
  told("Status", "that what there is not was forgotten", "phone", edited, 2, "portal-false-data"),
  told("Status", "that what there is not was forgotten", "desktop", away, 4, "portal-false-data"),
  // What cannot be noticed, or need not be: the threat model lists each.
  ["it shows one of two devices a state of its own, as long as neither meets the other's", [add("laptop"), sync("laptop"), sync("phone")], { at: 0, over: 3, against: "laptop", what: { do: "fork", passwordsOnly: false } }, {}],
  ["it goes back to before what no device has seen", [add("laptop"), sync("laptop"), sync("phone")], { at: 2, over: 1, against: "phone", what: { do: "roll back", steps: 2 } }, {}],
  ["it says no to an edit and takes it later", edited, { at: 0, over: 2, against: "laptop", what: { do: "delay", saying: "no" } }, {}],
  ["it does twice what it was asked once", edited, { at: 0, over: 3, against: "all", what: { do: "do twice", of: "writes" } }, {}],
  ["it forgets all sessions", edited, { at: 1, over: 1, against: "all", what: { do: "forget sessions" } }, {}],
  ["it says that it forgot what it shows", [...away, sync("desktop")], { at: 3, over: 3, against: "all", what: lie("Status", "that all there is was forgotten") }, {}],
  ["it says that it shows what it forgot", [...away, sync("desktop")], { at: 3, over: 3, against: "all", what: lie("Status", "that nothing was forgotten") }, {}],
  ["it lies about the time", edited, { at: 1, over: 2, against: "all", what: lie("Status", "another time") }, {}],
];

suite("the double of a portal that cheats, trick by trick", () => {
  let prepared: Prepared;
  before(async () => {
    prepared = await prepareOne(1);
  });

  for (const [title, steps, cheat, alarms] of cases) {
    test(title, async () => {
      const { lines } = await play(prepared, steps, [cheat]);
      const heard = Object.fromEntries(lines.flatMap((line) => [...line.matchAll(/^(\d+)\. .*?: (portal-[a-z-]+|profile-two-versions) /g)].map(([, step = "", code]) => [step, code])));
      assert.deepEqual(heard, alarms, lines.join("\n"));
    });
  }

  test("every lie is one about an answer that there is", () => {
    for (const [of, all] of Object.entries(lies)) for (const telling of Object.keys(all)) assert.ok(telling.length > 0 && of.length > 0);
    for (const [, , { what }] of cases) if (what.do === "lie") assert.ok(lies[what.of]?.[what.telling] !== undefined, what.telling);
  });
});
