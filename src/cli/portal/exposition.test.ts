import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Counts, exposition, Histograms } from "./exposition.ts";

suite("Prometheus' text format", () => {
  test("help, type, labels and numbers are as the format has them; a metric without samples is left out", () => {
    const counts = new Counts();
    counts.add({ command: "Hello", outcome: "ok" });
    counts.add({ command: "Hello", outcome: "ok" }, 2);
    counts.add({ command: 'a"b\\c\nd', outcome: "ok" });
    const text = exposition([
      { name: "a_total", help: "One\nline.", type: "counter", samples: counts.samples() },
      { name: "b", help: "None.", type: "gauge", samples: [] },
      { name: "c", help: "Odd.", type: "gauge", samples: [{ value: Number.NaN }, { value: Number.POSITIVE_INFINITY, labels: { x: "1" } }] },
    ]);
    assert.equal(text, '# HELP a_total One\\nline.\n# TYPE a_total counter\na_total{command="Hello",outcome="ok"} 3\na_total{command="a\\"b\\\\c\\nd",outcome="ok"} 1\n# HELP c Odd.\n# TYPE c gauge\nc NaN\nc{x="1"} +Inf\n');
  });

  test("a histogram's buckets add up, and the last holds everything", () => {
    const times = new Histograms();
    for (const seconds of [0.0005, 0.002, 0.3, 60]) times.observe("Hello", seconds);
    const of = (le: string): number | undefined => times.samples("command").find((one) => one.labels?.["le"] === le)?.value;
    assert.deepEqual(["0.001", "0.0025", "0.25", "0.5", "10", "+Inf"].map(of), [1, 2, 2, 3, 3, 4]);
    const rest = Object.fromEntries(times.samples("command").filter((one) => one.suffix !== "_bucket").map((one) => [one.suffix, one.value]));
    assert.deepEqual(rest, { _sum: 60.3025, _count: 4 });
  });
});
