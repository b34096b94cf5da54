import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { fromBase64 } from "../../src/bytes/base64.ts";
import { toBase64url } from "../../src/bytes/base64url.ts";
import { fromUtf8, utf8 } from "../../src/bytes/text.ts";
import { sha512 } from "../../src/crypto/digest.ts";
import { type Answer, openConnection } from "../../src/http/call.ts";
import { readBundle } from "../../src/notary/bundles.ts";
import { readEntry } from "../../src/notary/entry.ts";
import { type Checkpoint, leafHash, readCheckpoint, readNote, rootFromRun } from "../../src/notary/index.ts";
import { bundlePath, tileAt } from "../../src/notary/tiles.ts";
import { expectStatus, openPlace, type PortalProcess } from "../support/processes.ts";

/** A portal's log as a tool for load tests sees it: what it adds, and what it reads. */
function toolAt({ port }: PortalProcess) {
  const connection = openConnection(`https://127.0.0.1:${port}`, { trust: "any" });
  const page = async (path: string): Promise<Answer> => connection.get(`/mesh/1/${path}`, {});
  const until = async (size: number): Promise<Checkpoint> => {
    for (let tries = 0; tries < 100; tries++) {
      const { body, status } = await page("checkpoint");
      const checkpoint = status === 200 ? readCheckpoint(readNote(body).text) : undefined;
      if (checkpoint !== undefined && checkpoint.size >= size) return checkpoint;
      await pause(50);
    }
    return assert.fail(`no checkpoint reaches ${size}`);
  };
  return {
    add: (octets: Uint8Array) => connection.post("/mesh/1/add", { "content-type": "application/octet-stream" }, octets),
    close: () => connection.close(),
    get: (path: string) => connection.get(path, {}),
    page,
    until,
    entry: async (index: number, size: number): Promise<Uint8Array> => {
      const name = tileAt(size, 0, Math.floor(index / 256));
      return readBundle((await page(bundlePath(name))).body, name.width)[index % 256] ?? assert.fail();
    },
  };
}

const codeOf = ({ body, status }: Answer): readonly [number, string] => [status, (JSON.parse(fromUtf8(body)) as { error: { code: string } }).error.code];

test("tools for load tests add to a log where its operator wants that: durable when answered, in its place, of no mesh whatever it says, and no more a second than allowed", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const closed = await place.portal();
  const stranger = toolAt(closed);
  assert.deepEqual(codeOf(await stranger.add(utf8("one"))), [400, "request-malformed"], "without the option nobody adds anything");
  stranger.close();
  const { fingerprint } = await place.json<{ fingerprint: string }>("desktop", ["create", "alice@example.com", "--portal", closed.url, "--no-passphrase"]);
  await closed.stop();

  const portal = place.made(closed.directory, ["--add", "40"]);
  await portal.start();
  assert.match(portal.said(), /^Takes entries from anybody, for tests of load only, at https:\S+\/mesh\/1\/add$/m);
  const tool = toolAt(closed);
  // What would be the newest version of somebody, if it were taken for what it says.
  const claim = utf8(`{"g":1,"id":"${fingerprint}","k":"personal","len":1,"n":4294967295,"obj":"${toBase64url(sha512(utf8("mine")))}","v":1}`);
  const sent = [utf8("one"), new Uint8Array(0), new Uint8Array(4096).fill(0xff), claim, utf8("one")];
  const added: number[] = [];
  for (const octets of sent) {
    const { body, status } = await tool.add(octets);
    assert.deepEqual([status, /^(0|[1-9]\d*)\n$/.test(fromUtf8(body))], [200, true]);
    added.push(Number(fromUtf8(body)));
  }
  // What was answered outlives the process at once.
  await portal.stop("SIGKILL");
  await portal.start();
  const { root, size } = await tool.until((added.at(-1) ?? 0) + 1);
  for (const [at, index] of added.entries()) {
    const entry = await tool.entry(index, size);
    assert.deepEqual(readEntry(entry), { k: "load", len: sent[at]?.length, obj: toBase64url(sha512(sent[at] ?? assert.fail())), v: 1 });
    const proof = fromUtf8((await tool.page(`inclusion/${index}/${index + 1}/${size}`)).body).split("\n").filter((line) => line !== "");
    assert.deepEqual(rootFromRun([leafHash(entry)], index, size, proof.map(fromBase64)), root);
  }

  assert.deepEqual(codeOf(await tool.add(new Uint8Array(4097))), [413, "service-request-too-large"]);
  assert.equal((await tool.page("add")).status, 405);
  await pause(1000);
  const burst = await Promise.all(Array.from({ length: 120 }, (_, at) => tool.add(utf8(`burst ${at}`))));
  const [taken, refused] = [burst.filter(({ status }) => status === 200), burst.filter(({ status }) => status !== 200)];
  assert.ok(taken.length >= 40 && refused.length > 0, String(taken.length));
  assert.equal(new Set(taken.map(({ body }) => fromUtf8(body))).size, taken.length, "each has a place of its own");
  for (const one of refused) assert.deepEqual([...codeOf(one), one.headers["retry-after"]], [503, "service-busy", "1"]);
  tool.close();

  // Nobody's mesh is the worse for it: device, monitor and the portal's own check find nothing.
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  const proof = await place.json<{ current: { n: number } }>("desktop", ["log", "prove", fingerprint]);
  assert.ok(proof.current.n < 100);
  expectStatus(await place.mesh("sceptic", ["log", "monitor", closed.url]), 0);
  await portal.stop();
  expectStatus(await place.mesh("operator", ["portal", "check", "--data", closed.directory]), 0);
});
