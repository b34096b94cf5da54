// A process of its own for the tests of several processes and of crashes: `node test-writer.ts PATH count N | stream NAME`.
import { writeSync } from "node:fs";
import { readNumber, text, writeNumber } from "./conformance-values.ts";
import { openSqliteStore } from "./sqlite.ts";

const [path = "", task = "", argument = ""] = process.argv.slice(2);
const store = await openSqliteStore(path);

if (task === "count") {
  // Raises one counter N times, four at a time, by compare-and-set.
  let left = Number(argument);
  const racer = async (): Promise<void> => {
    while (left > 0) {
      left--;
      await store.transact(async (w) => {
        await writeNumber(w, "s", "count", (await readNumber(w, "s", "count")) + 1);
        await w.append(text(argument));
      });
    }
  };
  await Promise.all([racer(), racer(), racer(), racer()]);
  await store.close();
} else {
  // Writes for ever, and says so only once a write is acknowledged; each is an entry and a leaf that belong together.
  let next = 0;
  const stream = async (): Promise<void> => {
    for (;;) {
      const key = `${argument}-${next++}`;
      await store.transact(async (w) => {
        await w.put("s", key, text(String(await w.append(text(key)))));
      });
      writeSync(1, `${key}\n`);
    }
  };
  await Promise.all([stream(), stream(), stream(), stream(), stream()]);
}
