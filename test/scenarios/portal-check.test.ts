import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { expectStatus, openPlace } from "../support/processes.ts";

type Report = { readonly sound: boolean; readonly checked: { readonly accounts: number } | null; readonly findings: readonly { readonly what: string; readonly repairable: boolean; readonly repaired: boolean }[]; readonly copy: string | null };

test("mesh portal check: well while it serves; mends counts and indexes after a copy; names what is lost, and ends with 1", { timeout: 60_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop", "--no-passphrase"]), 0);
  expectStatus(await place.mesh("desktop", ["password", "add", "mail", "--generate"]), 0);
  const path = join(portal.directory, "portal.db");
  const check = (allowed: number, ...more: string[]): Promise<Report> => place.json<Report>("operator", ["portal", "check", "--data", portal.directory, ...more], [allowed]);
  const kinds = ({ findings }: Report): readonly string[] => [...new Set(findings.map((one) => `${one.what} ${one.repaired ? "mended" : one.repairable ? "can be mended" : "lost"}`))];

  const live = await check(0);
  assert.deepEqual([live.sound, live.checked?.accounts, live.findings], [true, 1, []]);
  await portal.stop();

  change(path, (database) => database.exec("UPDATE entry SET value = CAST(replace(CAST(value AS TEXT), '\"octets\":', '\"octets\":9') AS BLOB) WHERE shelf = 'meshes'"));
  assert.deepEqual(kinds(await check(1)), ["counts-wrong can be mended"]);
  const mended = await check(0, "--repair");
  assert.deepEqual(kinds(mended), ["counts-wrong mended"]);
  assert.equal(statSync(mended.copy ?? "").mode & 0o777, 0o600);
  assert.deepEqual((await check(0)).findings, []);

  // An index that was left behind: the rows go on while it is not there, and it comes back as it was.
  change(path, (database) => {
    database.exec("PRAGMA writable_schema = ON");
    const { sql, rootpage } = database.prepare("SELECT sql, rootpage FROM sqlite_schema WHERE name = 'entry_key'").get() as { sql: string; rootpage: number };
    database.exec("DELETE FROM sqlite_schema WHERE name = 'entry_key'; PRAGMA schema_version = 100");
    change(path, (other) => other.exec("INSERT INTO entry VALUES ('bodies', 'nobody''s', x'00')"));
    database.prepare("INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('index', 'entry_key', 'entry', ?, ?)").run(rootpage, sql);
    database.exec("PRAGMA schema_version = 101");
  });
  assert.deepEqual(kinds(await check(1)), ["database-damaged can be mended"]);
  const rebuilt = await check(0, "--repair");
  assert.deepEqual(kinds(rebuilt), ["database-damaged mended"]);
  assert.notEqual(rebuilt.copy, mended.copy, "an older copy stays");

  await portal.start();
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  await portal.stop();

  change(path, (database) => database.exec("UPDATE entry SET value = x'00' WHERE shelf = 'bodies'"));
  const lost = await place.mesh("operator", ["portal", "check", "--data", portal.directory, "--repair"]);
  assert.equal(lost.status, 1);
  assert.match(lost.stdout, /^LOST {3}body-damaged {4}alice@example\.com: catalog \S+, commit \d+$/m);
  assert.match(lost.stderr, /from a backup/);

  for (const name of readdirSync(portal.directory).filter((one) => /-(?:wal|shm)$/.test(one))) assert.fail(`${name} was left behind`);
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(40_000, 0x55), 0, 40_000, 16_384);
  closeSync(file);
  assert.deepEqual(kinds(await check(1, "--repair")), ["database-damaged lost"]);
  expectStatus(await place.mesh("operator", ["portal", "check", "--data", join(place.folder, "nowhere")]), 3);
});

function change(path: string, work: (database: DatabaseSync) => void): void {
  using database = new DatabaseSync(path, { defensive: false });
  work(database);
}
