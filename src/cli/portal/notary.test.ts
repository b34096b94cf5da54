import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";

import { fromUtf8 } from "../../bytes/text.ts";
import { record } from "../../notary/keeping/record.ts";
import type { Code } from "../../refusals/codes.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { logSigners, newLogKeys } from "./log-keys.ts";
import { makeLog } from "./log.ts";
import { beginNotary, type Notary } from "./notary.ts";

const signers = logSigners("example.com", newLogKeys(), 1);

type Served = { readonly ask: (path: string, from?: string, method?: string) => ReturnType<Notary["answer"]>; readonly clock: { now: number }; readonly disk: { fault?: "store-full" | "store-busy"; /** Neither read. */ away?: Code }; readonly drop: (drop: number) => Promise<unknown>; readonly said: string[] };

/** A portal's notary over a disk that a test can fill, on a clock that it moves. */
async function served(t: TestContext): Promise<Served> {
  const [clock, disk, said]: [Served["clock"], Served["disk"], string[]] = [{ now: 1_790_000_000_000 }, {}, []];
  const inner = openMemoryStore();
  const store: Store = {
    close: () => inner.close(),
    read: (work) => (disk.away === undefined ? inner.read(work) : Promise.reject(new MeshError(disk.away, "Nothing can be read."))),
    transact: (work) => (disk.fault === undefined ? inner.transact(work) : Promise.reject(new MeshError(disk.fault, "The disk takes nothing."))),
  };
  const drop: Served["drop"] = (number) => inner.transact((w) => record(w, [{ seal: "blobs", of: "mesh", content: { drop: number } }]));
  await drop(0);
  const notary = await beginNotary(store, signers, makeLog("-", "error", (line) => said.push(line), () => clock.now), () => clock.now);
  t.after(notary.stop);
  const ask: Served["ask"] = (path, from = "192.0.2.1", method = "GET") => notary.answer({ body: new Uint8Array(0), headers: {}, method, path, query: "", remoteAddress: from }, from);
  return { ask, clock, disk, drop, said };
}

suite("a portal's pages of its log (log 10.5)", () => {
  test("an address gets 6,000 a minute, and the next one nothing the worse for it", async (t) => {
    const { ask, clock } = await served(t);
    for (let page = 0; page < 6000; page++) assert.equal((await ask("/mesh/2/checkpoint"))?.status, 404);
    const refused = await ask("/mesh/1/checkpoint");
    assert.equal(refused?.status, 429);
    assert.match(fromUtf8(refused?.body ?? new Uint8Array(0)), /service-rate-limited/);
    assert.equal((await ask("/mesh/1/checkpoint", "192.0.2.2"))?.status, 200);
    clock.now += 60_000;
    assert.equal((await ask("/mesh/1/checkpoint"))?.status, 200);
  });

  test("what is no page of a log, or is not read, is not answered here", async (t) => {
    const { ask } = await served(t);
    for (const path of ["/", "/mesh/", "/mesh/0/checkpoint", "/mesh/x/checkpoint", "/.well-known/mmm"]) assert.equal(ask(path), undefined, path);
    assert.equal(ask("/mesh/1/checkpoint", "192.0.2.1", "POST"), undefined);
    for (const path of ["tile/0/000.p/257", "tile/0/x18446744073709551616", "tile/entries/000.p/0", "consistency/18446744073709551616/1", "consistency/2/1", "consistency/0/1", "current/personal/", "current/nobody/MB", "checkpoint/"]) assert.equal((await ask(`/mesh/1/${path}`))?.status, 404, path);
  });

  test("a log that cannot be written answers 503 after five seconds, says so once, and is back when it can", async (t) => {
    const { ask, clock, disk, drop, said } = await served(t);
    assert.equal((await ask("/mesh/1/checkpoint"))?.status, 200);
    await drop(1);
    for (const [fault, code] of [["store-full", "service-full"], ["store-busy", "service-busy"]] as const) {
      disk.fault = fault;
      clock.now += 6000;
      const refused = await ask("/mesh/1/checkpoint");
      assert.deepEqual([refused?.status, (JSON.parse(fromUtf8(refused?.body ?? new Uint8Array(0))) as { error: { code: string } }).error.code], [503, code]);
    }
    assert.equal(said.filter((line) => line.includes("epoch-failed")).length, 1);
    delete disk.fault;
    clock.now += 2000;
    assert.equal((await ask("/mesh/1/checkpoint"))?.status, 200);
  });

  test("while the records cannot be had, whoever asks is told to ask again; what is damaged is a fault", async (t) => {
    const { ask, disk } = await served(t);
    for (const [away, code] of [["store-busy", "service-busy"], ["store-unreachable", "service-busy"], ["store-full", "service-full"]] as const) {
      disk.away = away;
      const refused = await ask("/mesh/1/checkpoint");
      assert.deepEqual([refused?.status, (JSON.parse(fromUtf8(refused?.body ?? new Uint8Array(0))) as { error: { code: string } }).error.code], [503, code], away);
    }
    disk.away = "store-damaged";
    await assert.rejects(ask("/mesh/1/checkpoint") ?? assert.fail(), { code: "store-damaged" });
    delete disk.away;
    assert.equal((await ask("/mesh/1/checkpoint"))?.status, 200);
  });
});
