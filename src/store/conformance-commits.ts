import assert from "node:assert/strict";
import { test } from "node:test";
import { type Open, readNumber, readText, text, writeNumber } from "./conformance-values.ts";
import { withFaults } from "./faults.ts";
import type { Store } from "./store.ts";

/** Commits: grouped, failing, and broken at every storage call. */
export function commitConformance(open: Open): void {
  test("of works issued together, each stands or falls alone", async () => {
    const { store } = await open();
    const results = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => store.transact(async (w) => {
      await writeNumber(w, "s", "count", (await readNumber(w, "s", "count")) + 1);
      await w.append(text(String(n)));
      if (n % 3 === 0) throw new Error("no");
      return n;
    })));
    assert.deepEqual(results.map((result) => result.status === "fulfilled"), Array.from({ length: 100 }, (_, n) => n % 3 !== 0));
    assert.equal(await store.read((r) => readNumber(r, "s", "count")), 66);
    const leaves = await store.read((r) => r.leaves(0));
    assert.deepEqual(leaves.map((leaf) => Number(Buffer.from(leaf))), Array.from({ length: 100 }, (_, n) => n).filter((n) => n % 3 !== 0));
  });

  test("if a shared commit fails, all in it reject, nothing is kept, and the store goes on", async (t) => {
    const { store, failNextCommit, reopen } = await open();
    if (failNextCommit === undefined) return t.skip("the engine cannot be made to fail");
    await store.transact((w) => w.put("s", "a", text("old")));
    await failNextCommit();
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => store.transact(async (w) => {
      await w.put("s", "a", text("new"));
      await w.append(text("leaf"));
      if (n === 9) throw new Error("a refusal that rests on what was never committed");
    })));
    // On a busy machine the last of them may come too late for the group whose commit fails, and share the next.
    const refused = results.filter((result) => result.status === "rejected" && (result.reason as { code?: string }).code === "store-full").length;
    const kept = results.filter((result) => result.status === "fulfilled").length;
    assert.ok(refused >= 1 && results.slice(0, refused).every((result) => result.status === "rejected"), "the group that fails is the first, and fails whole");
    assert.ok(refused + kept >= 9, "nothing but the one refusal rejects otherwise");
    const value = kept === 0 ? "old" : "new";
    assert.equal(await store.read((r) => readText(r, "s", "a")), value);
    assert.equal(await store.transact((w) => w.append(text("leaf"))), kept);
    const again = await reopen?.();
    if (again === undefined) return;
    assert.equal(await again.read((r) => readText(r, "s", "a")), value);
    assert.equal((await again.read((r) => r.leaves(0))).length, kept + 1);
    await again.close();
  });

  test("a storage error cannot be caught: the work is doomed", async () => {
    const { store } = await open();
    const faults = withFaults(store);
    faults.arm({ call: 2, when: "before", fatal: false });
    await assert.rejects(faults.store.transact(async (w) => {
      await w.put("s", "a", text("1"));
      await w.put("s", "b", text("2")).catch(() => undefined);
    }), { code: "store-failed" });
    assert.deepEqual(await store.read((r) => r.list("s", "")), []);
  });

  for (const when of ["before", "after"] as const) {
    test(`a fault ${when} each storage call: all or nothing, and asking again succeeds once`, async () => {
      const rehearsal = withFaults((await open()).store);
      await step(rehearsal.store);
      const calls = rehearsal.calls();
      assert.ok(calls >= 8, `${calls} calls`);
      for (let call = 1; call <= calls; call++) {
        const { store } = await open();
        const faults = withFaults(store);
        faults.arm({ call, when, fatal: false });
        await assert.rejects(step(faults.store), { code: "store-failed" });
        assert.equal(faults.fired(), true);
        // The second commit is the last call; only there "written but said no" can leave anything of it.
        const lines = await store.read((r) => r.leaves(0));
        const written = when === "after" && call === calls ? 2 : call > calls / 2 || (when === "after" && call === calls / 2) ? 1 : 0;
        assert.equal(lines.length, written, `call ${call}`);
        await step(faults.store);
        assert.deepEqual(await store.read((r) => r.leaves(0)), [text("first"), text("second")]);
      }
    });
  }

  test("what was acknowledged is there after reopening", async (t) => {
    const { store, reopen } = await open();
    if (reopen === undefined) return t.skip("nothing outlives this store");
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.transact(async (w) => {
      await writeNumber(w, "s", `k${n}`, n);
      await w.append(text("leaf"));
    })));
    const again = await reopen();
    assert.equal((await again.read((r) => r.list("s", "k"))).length, 50);
    assert.equal((await again.read((r) => r.leaves(0))).length, 50);
    await again.close();
  });
}

/** Two compare-and-set transactions of the same four calls each, which can be asked for again. */
async function step(store: Store): Promise<void> {
  for (const [index, name] of ["first", "second"].entries()) {
    await store.transact(async (w) => {
      if ((await readNumber(w, "head", "h")) > index) return;
      await writeNumber(w, "head", "h", index + 1);
      await w.append(text(name));
    });
  }
}
