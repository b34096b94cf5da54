import assert from "node:assert/strict";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { readNote, readTlogProof, readVerifierKey, signatureBy } from "../../src/notary/index.ts";
import { lineOf, logKeysOf, pageOf, untilCosigned } from "../support/cosigning.ts";
import { expectStatus, openPlace, type PortalProcess } from "../support/processes.ts";

suite("a portal whose log others vouch for (decision 8.7, log 10.4)", () => {
  test("yesterday's database put back under it is refused at its start, with what to do; done so, it begins a new log", { timeout: 120_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const portal = await place.portal();
    await portal.stop();
    const witness = await place.portal({ name: "witness", domain: "witness.example", serve: ["--cosign", place.file("logs", logKeysOf(portal.directory))] });
    const line = lineOf(witness);
    const options = ["--cosigners", place.file("cosigners", `# who vouches\n${line}`)];
    const cosigned = place.made(portal.directory, options);
    await cosigned.start();
    assert.match(cosigned.said(), /^Cosigned as example\.com\/mesh\/1\+/m);
    const made = await place.json<{ fingerprint: string }>("desktop", ["create", "alice@example.com", "--device-name", "desktop", "--portal", portal.url, "--no-passphrase"]);
    const before = await untilCosigned(portal.port, line);
    const proof = readTlogProof((await pageOf(portal.port, `/mesh/1/current/master/${made.fingerprint}`)) ?? assert.fail());
    assert.ok(signatureBy(readVerifierKey(line.trim().split(" ")[1] ?? ""), readNote(proof.checkpoint)) !== undefined, "what is current is proved with the same word");
    await cosigned.stop();
    const database = join(portal.directory, "portal.db");
    const yesterday = join(place.folder, "yesterday.db");
    copyFileSync(database, yesterday);

    await cosigned.start();
    expectStatus(await place.mesh("desktop", ["password", "add", "bank", "--generate"]), 0);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    for (let tries = 0; (await untilCosigned(portal.port, line)) <= before; tries++) assert.ok(tries < 100);
    await cosigned.stop();
    for (const file of [database, `${database}-wal`, `${database}-shm`]) if (existsSync(file)) rmSync(file);
    copyFileSync(yesterday, database);
    // Whoever starts it says nothing any more of who vouches for it: that was said once.
    const serve = ["portal", "serve", "--data", portal.directory];
    const refused = await place.mesh("operator", [...serve, "--json"]);
    const { code, hint, message } = JSON.parse(refused.stderr) as { code: string; hint: string; message: string };
    assert.deepEqual([refused.status, code], [1, "log-behind-peers"], refused.stderr);
    assert.match(message, /witness\.example\/mesh\/cosigner\/1 vouched for \d+ entries of this log, where \d+ are signed by what is kept here/);
    assert.match(hint, /mesh portal backup.*mesh portal restore/);
    rmSync(database);
    assert.equal((await place.mesh("operator", serve)).status, 1, "nor does it start without any database");
    copyFileSync(yesterday, database);

    const [backup, restored] = [join(place.folder, "backup"), join(place.folder, "restored")];
    expectStatus(await place.mesh("operator", ["portal", "backup", "--data", portal.directory, "--out", backup]), 0);
    expectStatus(await place.mesh("operator", ["portal", "restore", backup, "--data", restored]), 0);
    const anew = place.made(restored);
    await anew.start();
    assert.match(anew.said(), /^Cosigned as example\.com\/mesh\/[2-9]\d*\+/m);
    const log = Number(/mesh\/(\d+)\+/.exec(anew.said())?.[1]);
    // Nobody vouches for the new log until he was told of it.
    assert.equal(readNote((await pageOf(portal.port, `/mesh/${log}/checkpoint`)) ?? assert.fail()).signatures.length, 2);
    assert.equal((await place.mesh("desktop", ["sync", "--bring-back"])).status, 0);
    await witness.stop();
    place.file("logs", logKeysOf(restored));
    await witness.start();
    await untilCosigned(portal.port, line, log);
  });

  test("two that vouch for each other start at once; one whose only cosigner is away does not start, unless its operator says so, and goes on alone once it runs", { timeout: 120_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const [a, b] = [await place.portal({ name: "a", domain: "a.example" }), await place.portal({ name: "b", domain: "b.example" })];
    await Promise.all([a.stop(), b.stop()]);
    const empty = place.file("nobody", "# nobody yet\n");
    const key = async (portal: PortalProcess): Promise<string> => {
      const first = place.made(portal.directory, ["--cosign", empty]);
      await first.start();
      const line = lineOf({ ...portal, said: first.said });
      await first.stop();
      return line;
    };
    const [lineA, lineB] = [await key(a), await key(b)];
    const [forA, forB] = [["--cosign", place.file("logs-a", logKeysOf(b.directory)), "--cosigners", place.file("peers-a", lineB)], ["--cosign", place.file("logs-b", logKeysOf(a.directory)), "--cosigners", place.file("peers-b", lineA)]];
    const alone = await place.mesh("operator", ["portal", "serve", "--data", a.directory, ...forA, "--json"]);
    assert.deepEqual([alone.status, (JSON.parse(alone.stderr) as { code: string }).code], [7, "log-peers-away"], alone.stderr);

    const [both, other] = [place.made(a.directory, forA), place.made(b.directory, forB)];
    for (let round = 0; round < 2; round++) {
      await Promise.all([both.start(), other.start()]);
      expectStatus(await place.mesh(`desktop-${round}`, ["create", `alice${round}@a.example`, "--portal", a.url, "--no-passphrase"]), 0);
      await untilCosigned(a.port, lineB);
      await Promise.all([both.stop("SIGKILL"), other.stop("SIGKILL")]);
    }
    const bold = place.made(a.directory, [...forA, "--quorum", "0"]);
    await bold.start();
    const began = performance.now();
    expectStatus(await place.mesh("bob", ["create", "bob@a.example", "--portal", a.url, "--no-passphrase"]), 0);
    expectStatus(await place.mesh("bob", ["sync"]), 0);
    assert.ok(performance.now() - began < 20_000);
    // It comes back, and vouches for what it missed.
    await other.start();
    await untilCosigned(a.port, lineB);
  });
});
