import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { expectStatus, openPlace } from "../support/processes.ts";

const codeOf = (stderr: string): string => (JSON.parse(stderr) as { code: string }).code;

suite("a portal restored from a backup", () => {
  test("backed up while it serves, restored elsewhere, it is the one that was pinned; a device brings back what it lost", { timeout: 120_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const portal = await place.portal();
    expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop", "--no-passphrase"]), 0);
    const file = join(place.folder, "backup");
    const made = await place.json<{ octets: number }>("operator", ["portal", "backup", "--data", portal.directory, "--out", file]);
    assert.deepEqual([statSync(file).mode & 0o777, statSync(file).size], [0o600, made.octets]);
    assert.deepEqual(readdirSync(place.folder).filter((name) => name.startsWith("backup")), ["backup"]);
    expectStatus(await place.mesh("desktop", ["password", "add", "since", "--generate"]), 0);
    await portal.stop();

    const restored = place.made(join(place.folder, "restored"));
    expectStatus(await place.mesh("operator", ["portal", "restore", file, "--data", restored.directory]), 0);
    await restored.start();
    assert.ok(restored.said().includes(portal.pin));
    const ran = await place.mesh("desktop", ["sync", "--json"]);
    assert.deepEqual([ran.status, codeOf(ran.stderr)], [6, "portal-restored"], ran.stderr);
    assert.match(ran.stderr, /mesh sync --bring-back/);
    const told = await place.mesh("desktop", ["sync", "--bring-back"]);
    expectStatus(told, 0);
    assert.match(told.stderr + told.stdout, /given back 1 thing/);
    assert.match(told.stderr, /ended its log example\.com\/mesh\/1 .* and began another, example\.com\/mesh\/\d+\. It says that it was restored/);
    assert.doesNotMatch((await place.mesh("desktop", ["sync"])).stderr, /ended its log/);
    expectStatus(await place.mesh("desktop", ["log", "verify"]), 0);
    assert.equal((await place.json<{ sound: boolean }>("operator", ["portal", "check", "--data", restored.directory])).sound, true);
  });

  test("only what is whole is restored, and only into an empty directory", { timeout: 60_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const directory = join(place.folder, "portal");
    expectStatus(await place.mesh("operator", ["portal", "init", "--data", directory, "--domain", "example.com"]), 0);
    const file = join(place.folder, "backup");
    expectStatus(await place.mesh("operator", ["portal", "backup", "--data", directory, "--out", file]), 0);
    expectStatus(await place.mesh("operator", ["portal", "backup", "--data", directory, "--out", file]), 6);
    const restore = async (from: string, to: string): Promise<string> => {
      const ran = await place.mesh("operator", ["portal", "restore", from, "--data", to, "--json"]);
      return ran.status === 0 ? "done" : codeOf(ran.stderr);
    };
    const empty = join(place.folder, "empty");
    mkdirSync(empty);
    assert.equal(await restore(file, directory), "data-exists");
    assert.equal(await restore(join(place.folder, "none"), empty), "data-missing");
    assert.equal(await restore(place.file("text", "not a backup\n"), empty), "backup-malformed");
    assert.equal(await restore(join(directory, "portal.db"), empty), "backup-malformed");
    expectStatus(await place.shell("operator", "head -c 30000 backup > half"), 0);
    assert.equal(await restore(join(place.folder, "half"), empty), "backup-malformed");
    assert.deepEqual(readdirSync(empty), []);
    assert.equal(await restore(file, empty), "done");
    assert.ok(existsSync(join(empty, "portal.db")));
    writeFileSync(join(directory, "profile.json"), "{}");
    expectStatus(await place.mesh("operator", ["portal", "backup", "--data", directory, "--out", join(place.folder, "second")]), 1);
    assert.deepEqual(readdirSync(place.folder).sort(), ["backup", "empty", "half", "mesh", "portal", "text"]);
  });
});
