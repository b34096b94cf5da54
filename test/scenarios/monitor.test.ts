import assert from "node:assert/strict";
import { copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { expectStatus, openPlace } from "../support/processes.ts";

/** What was just done is in a checkpoint once its epoch is closed: within a second (log 6.1). */
const EPOCH = 1000;

type Seen = { readonly read: number; readonly size: number; readonly state: string };
type Refused = { readonly code: string; readonly hint: string };

test("`mesh log monitor` follows a portal from outside, and catches one whose file of yesterday was put back: first as older, then as forked, with evidence that holds offline", { timeout: 240_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  const look = ["log", "monitor", portal.url];
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 0);
  await pause(EPOCH);
  const first = await place.json<Seen>("sceptic", look);
  assert.ok(first.size > 0 && first.read === first.size);
  assert.equal(statSync(first.state).mode & 0o777, 0o600);
  await portal.stop();
  const [database, yesterday] = [join(portal.directory, "portal.db"), join(place.folder, "yesterday.db")];
  copyFileSync(database, yesterday);
  await portal.start();
  expectStatus(await place.mesh("desktop", ["password", "add", "bank", "--generate"]), 0);
  await pause(EPOCH);
  const second = await place.json<Seen>("sceptic", look);
  assert.ok(second.read > 0 && second.size === first.size + second.read);

  await portal.stop();
  copyFileSync(yesterday, database);
  await portal.start();
  const older = JSON.parse(expectStatus(await place.mesh("sceptic", [...look, "--json"]), 6).stderr) as Refused;
  assert.equal(older.code, "portal-older-log");
  for (const name of ["bob", "carol", "doug"]) expectStatus(await place.mesh(name, ["create", `${name}@example.com`, "--portal", portal.url, "--no-passphrase"]), 0);
  await pause(EPOCH);
  const forked = JSON.parse(expectStatus(await place.mesh("sceptic", [...look, "--json"]), 6).stderr) as Refused;
  assert.equal(forked.code, "portal-forked-log");
  const [, check = ""] = /(mesh log check-evidence .*)$/.exec(forked.hint) ?? [];
  const judged = expectStatus(await place.shell("elsewhere", `${check} --json`), 0);
  assert.equal((JSON.parse(judged.stdout) as { kind: string }).kind, "fork");
  // Whoever looks for the first time sees nothing wrong in it.
  expectStatus(await place.mesh("newcomer", look), 0);
});
