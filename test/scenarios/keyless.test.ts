import assert from "node:assert/strict";
import { test } from "node:test";

import { catalogOf } from "../../src/client/catalog.ts";
import { type CatalogRow, loadCatalog } from "../../src/client/known.ts";
import { Rows } from "../../src/client/rows.ts";
import { homeFiles } from "../../src/cli/home.ts";
import { openKeyringFile } from "../../src/keyring/file.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { expectStatus, openPlace } from "../support/processes.ts";

/** Takes the key of the passwords' epoch out of a home, as if a suspension that is over had kept it from this device. */
async function loseKey(home: string): Promise<void> {
  const files = homeFiles(home);
  const [keyring, store] = [await openKeyringFile(files.keyring, undefined), await openSqliteStore(files.store)];
  await new Rows(store, keyring).transact(async (rows) => {
    const id = await catalogOf(rows, "passwords");
    const row = await loadCatalog(rows, id);
    assert.ok(row !== undefined);
    const epochs = Object.fromEntries(Object.entries(row.epochs).map(([number, { key: _, ...epoch }]) => [number, epoch]));
    await rows.put("catalogs", id, "", { ...row, epochs } satisfies CatalogRow);
  });
  await store.close();
  keyring.close();
}

test("a device that was not given the newest key says of each edit that it waits, of itself what it waits for, and fails at nothing", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 0);
  const { pin } = await place.json<{ pin: string }>("desktop", ["device", "pin"]);
  const joining = ["join", "alice@example.com", "--portal", portal.url, "--no-passphrase", "--pin-file", place.file("pin", `${pin}\n`)];
  expectStatus(await place.mesh("tablet", joining), 5);
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  expectStatus(await place.mesh("tablet", joining), 0);
  assert.equal((await place.json<{ keyless: number }>("tablet", ["sync"])).keyless, 0);

  await loseKey(place.home("tablet"));
  const added = expectStatus(await place.mesh("tablet", ["password", "add", "github", "--generate"]), 0);
  assert.equal((await place.json<{ sync: string }>("tablet", ["password", "add", "gitlab", "--generate"])).sync, "later");
  const synced = expectStatus(await place.mesh("tablet", ["sync"]), 0);
  for (const { stderr } of [added, synced, expectStatus(await place.mesh("tablet", ["device", "list"]), 0)]) assert.match(stderr, /not given the newest keys yet \(1 catalog\).*run `mesh sync` there, then here/s);
  const { keyless, unsent, warnings } = await place.json<{ keyless: number; unsent: number; warnings: readonly string[] }>("tablet", ["status"]);
  assert.deepEqual([keyless, unsent, warnings.some((one) => one.includes("not given the newest keys"))], [1, 2, true]);
});
