import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { prepareOne, type Story } from "./draw.ts";
import type { Prepared } from "./prepared.ts";
import type { Deed } from "./deeds.ts";
import { play, type Step } from "./story.ts";

const sync = (who: string): Step => ({ do: "sync", who });
const everybody = ["desktop", "tower", "laptop", "phone"].map(sync);

/** Stories that chance once drew and that went wrong then, by what they were about; each as short as it could be made. */
const kept: Readonly<Record<string, Omit<Story, "search">>> = {
  "what a device is told that it knows already contradicts nothing, though the state behind it has gone back": {
    cast: 2,
    steps: [{ do: "rename", who: "tower", whom: "desktop" }, sync("desktop"), sync("tower"), sync("desktop"), sync("desktop"), sync("tower"), sync("laptop"), sync("phone")],
    cheats: [
      { at: 0, over: 3, against: "tower", what: { do: "roll back", steps: 1 } },
      { at: 3, over: 4, against: "all", what: { do: "replay", of: "reads", back: 6 } },
      { at: 3, over: 6, against: "all", what: { do: "lie", of: "Status", telling: "heads in another order", pick: 7 } },
      { at: 6, over: 4, against: "all", what: { do: "roll back", steps: 5 } },
    ],
  },
  "the same of versions of the mesh": {
    cast: 2,
    steps: [{ do: "disable", who: "tower", whom: "phone" }, sync("tower"), sync("tower"), ...everybody],
    cheats: [
      { at: 0, over: 2, against: "tower", what: { do: "fork", passwordsOnly: false } },
      { at: 2, over: 1, against: "tower", what: { do: "replay", of: "reads", back: 0 } },
    ],
  },
  "a device that comes back from a suspension which has lapsed syncs as before": {
    cast: 2,
    steps: [{ do: "disable", who: "laptop", whom: "desktop" }, sync("tower"), { do: "wait", hours: 80 }, sync("desktop"), ...everybody],
    cheats: [],
  },
  "a member that comes back from the suspension that another and it fell under syncs as before": {
    cast: 1,
    steps: [{ do: "disable", who: "phone", whom: "laptop" }, sync("desktop"), { do: "wait", hours: 80 }, { do: "edit", who: "desktop", nth: 0, field: "username", sent: false }, sync("laptop"), sync("desktop"), sync("phone")],
    cheats: [],
  },
  "two that have much to send at once are not overtaken by each other until one gives up": {
    cast: 2,
    steps: [
      { do: "leave", who: "laptop" },
      { do: "together", deeds: [{ do: "add", who: "desktop", sent: false }, { do: "add", who: "tower", sent: false }] },
      { do: "attach", who: "desktop", nth: 1, sent: false },
      { do: "together", deeds: [sync("tower") as Deed, sync("desktop") as Deed] },
      ...everybody,
    ],
    cheats: [],
  },
  "what is purged counts on no device, whichever of them has erased it already": {
    cast: 1,
    steps: [{ do: "remove", who: "phone", nth: 0, sent: false }, { do: "purge", who: "phone", nth: 0, sent: true }, { do: "wait", hours: 80 }, { do: "detach", who: "desktop", nth: 0, sent: false }, sync("desktop"), sync("desktop"), sync("laptop"), sync("phone")],
    cheats: [],
  },
  "the same where what was before is forgotten": {
    cast: 2,
    steps: [{ do: "edit", who: "desktop", nth: 0, field: "username", sent: false }, { do: "write a snapshot", who: "desktop" }, { do: "purge", who: "desktop", nth: 0, sent: true }, { do: "let the past go", who: "tower" }, ...everybody],
    cheats: [],
  },
};

suite("stories that were kept", () => {
  const prepared = new Map<number, Prepared>();
  before(async () => {
    for (const cast of new Set(Object.values(kept).map((one) => one.cast))) prepared.set(cast, await prepareOne(cast));
  });

  for (const [title, { cast, steps, cheats }] of Object.entries(kept)) {
    test(title, async () => {
      const household = prepared.get(cast) ?? assert.fail();
      await play(household, steps, []);
      if (cheats.length > 0) await play(household, steps, cheats);
    });
  }
});
