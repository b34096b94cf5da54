import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { expectStatus, openPlace } from "../support/processes.ts";

test("an operator who puts yesterday's directory back and says nothing is found out, and the device keeps proof that anybody checks without him", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  const on = ["--portal", portal.url, "--no-passphrase"];
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--device-name", "desktop", ...on]), 0);
  await portal.stop();
  const yesterday = join(place.folder, "yesterday");
  cpSync(portal.directory, yesterday, { recursive: true });
  await portal.start();
  expectStatus(await place.mesh("desktop", ["password", "add", "bank", "--generate"]), 0);
  // What was written is in a checkpoint once its epoch is closed, within a second (log 6.1): only then has she seen more than there was yesterday.
  await sleep(1100);
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  await portal.stop();

  // Signatures have seconds: of two in one, none is the later.
  await sleep(1100);
  rmSync(portal.directory, { recursive: true });
  cpSync(yesterday, portal.directory, { recursive: true });
  await portal.start();
  // It signs its log anew, as it stands now.
  expectStatus(await place.mesh("bob", ["create", "bob@example.com", "--device-name", "desktop", ...on]), 0);
  const folder = join(place.home("desktop"), "evidence");
  let [ran, tries] = [await place.mesh("desktop", ["sync", "--json"]), 0];
  // There is proof as soon as an epoch is closed and signed anew, in a later second.
  for (; !existsSync(folder) && tries < 5; tries++) {
    await sleep(1100);
    ran = await place.mesh("desktop", ["sync", "--json"]);
  }
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
