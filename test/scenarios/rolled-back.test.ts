import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { expectStatus, openPlace, type Place } from "../support/processes.ts";

/** Has a device follow its portal's log until that closed an epoch over what came after so many entries, which takes a second at most (log 6.1). */
async function followedBeyond(place: Place, who: string, entries: number): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const { size } = await place.json<{ size: number }>(who, ["log", "verify"]);
    if (size > entries) return size;
  }
  return assert.fail("no epoch was closed");
}

test("an operator who puts yesterday's directory back and says nothing is found out, and the device keeps proof that anybody checks without him", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  const on = ["--portal", portal.url, "--no-passphrase"];
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--device-name", "desktop", ...on]), 0);
  const before = await followedBeyond(place, "desktop", 0);
  await portal.stop();
  const yesterday = join(place.folder, "yesterday");
  cpSync(portal.directory, yesterday, { recursive: true });
  await portal.start();
  expectStatus(await place.mesh("desktop", ["password", "add", "bank", "--generate"]), 0);
  // Only then has she seen more than there was yesterday.
  await followedBeyond(place, "desktop", before);
  await portal.stop();

  rmSync(portal.directory, { recursive: true });
  cpSync(yesterday, portal.directory, { recursive: true });
  await portal.start();
  // It signs its log anew, as it stands now.
  expectStatus(await place.mesh("bob", ["create", "bob@example.com", "--device-name", "desktop", ...on]), 0);
  const folder = join(place.home("desktop"), "evidence");
  await followedBeyond(place, "bob", before);
  const ran = await place.mesh("desktop", ["sync", "--json"]);
  const refusal = JSON.parse(ran.stderr) as { code: string; hint: string };
  assert.deepEqual([ran.status, refusal.code], [6, "portal-older-catalog"], ran.stderr);
  await portal.stop();

  const [name = "", ...others] = readdirSync(folder);
  assert.deepEqual(others, []);
  assert.deepEqual([statSync(folder).mode & 0o777, statSync(join(folder, name)).mode & 0o777], [0o700, 0o600]);
  assert.ok(refusal.hint.includes(join(folder, name)), refusal.hint);
  const judged = await place.json<{ kind: string; origin: string }>("desktop", ["log", "check-evidence", join(folder, name)]);
  assert.match(judged.kind, /^(fork|rollback)$/);
  assert.equal(judged.origin, "example.com/mesh/1");
  // Bob, who has the same portal, needs nothing from Alice but the file; who has another, its keys.
  expectStatus(await place.mesh("bob", ["log", "check-evidence", join(folder, name)]), 0);
  assert.equal((await place.mesh("nobody", ["log", "check-evidence", join(folder, name)])).status, 3);
});
