import { searchPasswords } from "../src/applications/passwords/find.ts";
import { passwordsOf } from "../src/applications/passwords/password.ts";
import { filterPasswords, parseQuery } from "../src/applications/passwords/query.ts";
import { addPassword } from "../src/applications/passwords/edit.ts";
import { merge } from "../src/catalogs/merge.ts";
import { atMost, type Bench, type Measurement, median, processorTime } from "./bench.ts";

const [ENTRIES, ROUNDS, BAR] = [10_000, 15, 10];

/** What is looked for: a word in one, a word in all, one beyond ASCII, and a tag and a site with a word. */
const queries = { "one word in one entry": ["9999"], "one word in all": ["example"], "an accent in one of ten": ["cafe"], "a tag, a site and a word": ["tag:work", "site:www.site77.example.com", "alice"] } as const;

/** Searching 10,000 logins that are loaded (product: 10 ms). */
export const bench: Bench = {
  name: "search",
  about: `a search among ${ENTRIES} logins that are loaded, every tenth with letters beyond ASCII, every fifth with notes`,
  run: async () => {
    const entries = Array.from({ length: ENTRIES }, (_, index) => {
      const about = { name: `Site number ${index}${index % 10 === 0 ? " café" : ""}`, username: `alice${index}@example.com`, addSites: [`https://site${index}.example.com/login`], addTags: [["work", "home", "play"][index % 3] ?? ""], ...(index % 5 === 0 ? { notes: "opened on a rainy day, and never used since. ".repeat(4) } : {}) };
      return merge(undefined, addPassword([], about), "M");
    });
    const passwords = passwordsOf(entries);
    const search = (words: readonly string[]) => () => {
      const { filter, words: rest } = parseQuery(words);
      return searchPasswords(filterPasswords(passwords, filter), rest).length;
    };
    const measured: Measurement[] = [];
    for (const [name, words] of Object.entries(queries)) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) times.push(await processorTime(search(words)));
      measured.push(atMost(BAR, { name, value: median(times), unit: "ms", against: `median of ${ROUNDS}, in time of the processor; the first ${(times[0] ?? 0).toFixed(1)} ms` }));
    }
    return measured;
  },
};
