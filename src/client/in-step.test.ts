import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { beginning, type Met, paceAfter, waitAfter } from "./in-step.ts";

const failed: Met = { kind: "failed", retryMs: undefined };
const ended: Met = { kind: "ended" };

/** The least and the most that is waited after so many failures. */
function bounds(failures: number, spread = 1_000, met: Met = failed): readonly [number, number] {
  const pace = { ...beginning, failures, spread };
  return [waitAfter(pace, met, 0), waitAfter(pace, met, 1)];
}

suite("how a device comes back to its portal", () => {
  test("after failures it waits evenly from nothing to twice as long each time, and five minutes at most", () => {
    assert.deepEqual([1, 2, 3, 8, 9, 100].map((failures) => bounds(failures)), [[0, 2_000], [0, 4_000], [0, 8_000], [0, 256_000], [0, 300_000], [0, 300_000]]);
    let pace = beginning;
    for (let n = 0; n < 3; n++) pace = paceAfter(pace, failed, 0);
    assert.equal(pace.failures, 3);
    assert.equal(paceAfter(pace, ended, 0).failures, 0);
  });

  test("it spreads that over as long as the portal said, also when what stood has ended", () => {
    assert.deepEqual(bounds(1, 40_000), [0, 40_000]);
    assert.deepEqual(bounds(0, 40_000, ended), [0, 40_000]);
    assert.deepEqual(bounds(0, 0, ended), [0, 0]);
    assert.deepEqual(bounds(0, 1e12, ended), [0, 300_000]);
  });

  test("it does not come back before it was told to, though no portal has it wait for more than an hour", () => {
    assert.deepEqual(bounds(1, 1_000, { kind: "failed", retryMs: 60_000 }), [60_000, 62_000]);
    assert.deepEqual(bounds(1, 1_000, { kind: "failed", retryMs: 1e12 }), [3_600_000, 3_602_000]);
  });

  test("what is held back comes by answers that wait, or is asked for; an hour later a stream is tried again", () => {
    const answers = paceAfter(beginning, { kind: "held-back" }, 1_000);
    assert.equal(answers.way, "answers");
    assert.equal(paceAfter(answers, ended, 2_000).way, "answers");
    assert.equal(paceAfter(answers, { kind: "held-back" }, 2_000).way, "asking");
    assert.equal(paceAfter(beginning, { kind: "unknown" }, 1_000).way, "asking");
    assert.equal(paceAfter(answers, ended, 3_601_000).way, "stream");
  });
});
