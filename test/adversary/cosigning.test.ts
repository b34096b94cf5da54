import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";

import { fromUtf8, utf8 } from "../../src/bytes/text.ts";
import { generateLogKey } from "../../src/crypto/log-key.ts";
import { openConnection } from "../../src/http/call.ts";
import { consistencyProof, type Hash, type NoteSigner, readVerifierKey, rootOf, signNote, type VerifierKey, verifierKey, verifyNote, writeAddCheckpoint, writeCheckpoint, writeNote, writeVerifierKey } from "../../src/notary/index.ts";
import { readSignatureLines } from "../../src/notary/note.ts";
import { someLeaves, TestLog } from "../../src/notary/test-log.ts";
import { expectStatus, openPlace } from "../support/processes.ts";

/** A log of somebody else's, with whatever it shows. */
function strangersLog(origin: string) {
  const key = generateLogKey("ed25519");
  const signer: NoteSigner = { key: verifierKey(origin, "note", key.publicKey), sign: (message) => key.sign(message) };
  const text = (size: number, root: Hash): string => writeCheckpoint({ origin, size, root, extensions: [] });
  return { key: writeVerifierKey(signer.key), signed: async (size: number, root: Hash) => writeNote({ text: text(size, root), signatures: [await signNote(signer, text(size, root), 0)] }), text };
}

const leaves = someLeaves(40);

/** The head and the proof of a log of so many leaves; of one that forked, others. */
async function grown(size: number, from = 0, of = leaves): Promise<{ root: Hash; proof: readonly Hash[] }> {
  const log = new TestLog();
  log.append(of.slice(0, size));
  return { root: rootOf(log.tree), proof: from === 0 ? [] : await consistencyProof(log.read, from, size) };
}

suite("a portal vouches for the logs of others (log 3.5)", () => {
  test("each request has its status, whoever sends it; nothing that does not follow is cosigned, though two come at once or it is started anew", { timeout: 60_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const log = strangersLog("other.example/mesh/1");
    const file = place.file("logs", `# the logs of friends\n\n${log.key}\n`);
    const portal = await place.portal({ serve: ["--cosign", file] });
    const said = (): VerifierKey => readVerifierKey(/^Cosigns at https:\S+\/mesh\/cosign as (\S+)$/m.exec(portal.said())?.[1] ?? assert.fail(portal.said()));
    const key = said();
    assert.deepEqual([key.name, key.type], ["example.com/mesh/cosigner/1", "cosignature/v1"]);
    const connect = () => openConnection(`https://127.0.0.1:${portal.port}`, { trust: "any" });
    let connection = connect();
    t.after(() => connection.close());
    const post = async (body: Uint8Array) => {
      const answer = await connection.post("/mesh/cosign/add-checkpoint", {}, body);
      return { status: answer.status, text: fromUtf8(answer.body), type: answer.headers["content-type"] };
    };
    const add = async (old: number, size: number, of = leaves, proofFrom = old) => {
      const { root, proof } = await grown(size, proofFrom, of);
      return post(writeAddCheckpoint(old, proof, await log.signed(size, root)));
    };
    const cosigned = ({ text }: { text: string }, size: number, root: Hash): boolean => {
      const [line, ...more] = readSignatureLines(text);
      assert.ok(line !== undefined && more.length === 0);
      const seconds = verifyNote(key, log.text(size, root), line)?.seconds ?? 0;
      return Math.abs(seconds - Date.now() / 1000) < 60;
    };

    const first = await add(0, 10);
    assert.ok(first.status === 200 && cosigned(first, 10, (await grown(10)).root));
    // Again, as it was: the log had lost the answer.
    const replay = await add(0, 10);
    assert.deepEqual(replay, { status: 409, text: "10\n", type: "text/x.tlog.size" });
    assert.equal((await add(10, 10)).status, 200, "the same head anew, with a newer time");
    assert.equal((await add(4, 20)).status, 409, "a stale size");
    const forked = leaves.with(3, leaves[39] as Hash);
    assert.deepEqual(await add(10, 10, forked), { status: 409, text: "10\n", type: "text/x.tlog.size" }, "another root of the same size");
    assert.equal((await add(10, 20, forked)).status, 422, "a proof of another tree");
    assert.equal((await add(10, 20, leaves, 9)).status, 422, "a proof from elsewhere");
    const { root, proof } = await grown(20, 10);
    assert.equal((await post(writeAddCheckpoint(10, [...proof, root], await log.signed(20, root)))).status, 422, "a hash too many");
    assert.equal((await post(writeAddCheckpoint(21, [], await log.signed(20, root)))).status, 400, "old above new");
    const wrong = strangersLog("other.example/mesh/1");
    assert.equal((await post(writeAddCheckpoint(10, proof, await wrong.signed(20, root)))).status, 403, "signed by another key of that name");
    assert.equal((await post(writeAddCheckpoint(10, proof, utf8(`${log.text(20, root)}\nnothing\n`)))).status, 403, "no signature");
    const unknown = strangersLog("unknown.example/mesh/1");
    assert.equal((await post(writeAddCheckpoint(0, [], await unknown.signed(20, root)))).status, 404);
    for (const bad of ["", "old", "old 10\n", "old -1\n\nx\n", "old 1e3\n\nx\n1\n", `old 10\n${"A".repeat(300_000)}\n\nx`, "old 99999999999999999999\n\nx\n", "\0\u2028\n\n\n\n"]) assert.equal((await post(utf8(bad))).status, 400, JSON.stringify(bad.slice(0, 30)));
    assert.equal((await post(Uint8Array.of(0xff, 0xfe, 0x0a, 0x0a))).status, 400);
    assert.equal((await post(new Uint8Array(600_000).fill(0x41))).status, 400, "more than a request has");
    assert.equal((await post(new Uint8Array(2_000_000).fill(0x41))).status, 413, "more than is read");
    connection.close();
    connection = connect();
    assert.equal((await connection.get("/mesh/cosign/add-checkpoint", {})).status, 405);

    // Two futures at once, many times each: one of them is this witness's, and the other never.
    const other = leaves.with(15, leaves[39] as Hash);
    const both = await Promise.all(Array.from({ length: 12 }, (_, at) => add(10, 20, at % 2 === 0 ? leaves : other)));
    const yes = new Set(both.flatMap(({ status }, at) => (status === 200 ? [at % 2] : [])));
    assert.equal(yes.size, 1, JSON.stringify(both.map(({ status }) => status)));
    const [mine, theirs] = yes.has(0) ? [leaves, other] : [other, leaves];

    await portal.stop("SIGKILL");
    connection.close();
    await portal.start();
    connection = connect();
    assert.deepEqual(said(), key);
    assert.equal((await add(20, 20, theirs)).status, 409);
    assert.equal((await add(20, 30, theirs)).status, 422);
    assert.equal((await add(20, 30, mine)).status, 200);

    // What it vouched for is no damage to it, and the word of one that went back to a backup is another's.
    await portal.stop();
    const backup = join(place.folder, "backup");
    expectStatus(await place.mesh("operator", ["portal", "check", "--data", portal.directory]), 0);
    expectStatus(await place.mesh("operator", ["portal", "backup", "--data", portal.directory, "--out", backup]), 0);
    expectStatus(await place.mesh("operator", ["portal", "restore", backup, "--data", join(place.folder, "restored")]), 0);
    const restored = place.made(join(place.folder, "restored"), ["--cosign", file]);
    await restored.start();
    assert.match(restored.said(), /^Cosigns at \S+ as example\.com\/mesh\/cosigner\/[2-9]\d*\+/m);
  });

  test("it is off unless it is asked for, and so many an address are answered in a minute", { timeout: 60_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const portal = await place.portal();
    const off = openConnection(`https://127.0.0.1:${portal.port}`, { trust: "any" });
    t.after(() => off.close());
    assert.equal((await off.post("/mesh/cosign/add-checkpoint", {}, utf8("old 0\n"))).status, 400);
    assert.match(fromUtf8((await off.post("/mesh/cosign/add-checkpoint", {}, utf8("old 0\n"))).body), /request-malformed/);
    await portal.stop();
    const file = place.file("logs", strangersLog("other.example/mesh/1").key);
    const on = place.made(portal.directory, ["--cosign", file]);
    await on.start();
    const connection = openConnection(`https://127.0.0.1:${portal.port}`, { trust: "any" });
    t.after(() => connection.close());
    const statuses = new Set<number>();
    for (let at = 0; at < 300; at++) statuses.add((await connection.post("/mesh/cosign/add-checkpoint", {}, utf8("x"))).status);
    assert.deepEqual([...statuses], [400, 429]);
    await on.stop();
    const bad = await place.mesh("operator", ["portal", "serve", "--data", portal.directory, "--cosign", place.file("bad", "other.example/mesh/1+00000000+AAAA")]);
    assert.equal(bad.status, 1, bad.stderr);
    assert.match(bad.stderr, /bad, line 1: This is no key/);
    for (const [text, why] of [["", "has 1 to 16"], ["https://a.example/w", "its URL, a space, and its key"], [`https://a.example/w ${strangersLog("a.example/mesh/1").key}`, "key of a log"], ["x y", "its URL, a space"]] as const) {
      const refused = await place.mesh("operator", ["portal", "serve", "--data", portal.directory, "--cosigners", place.file("bad", text)]);
      assert.ok(refused.status === 2 && refused.stderr.includes(why), refused.stderr);
    }
  });
});
