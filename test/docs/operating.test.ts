import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { expectStatus, openPlace } from "../support/processes.ts";
import { read } from "../tree.ts";
import { commandsOf } from "./walkthrough.ts";

test("what docs/operating.md says to type works, in its order", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const commands = commandsOf(read("docs/operating.md"));
  assert.ok(commands.length >= 4);
  const portal = place.made(join(place.folder, "portal"));
  for (const command of commands) {
    const ran = expectStatus(await place.shell("operator", command), 0);
    if (!command.startsWith("mesh portal init")) continue;
    await portal.start();
    const url = /https:\S+/.exec(ran.stdout)?.[0] ?? assert.fail(ran.stdout);
    expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", url, "--no-passphrase"]), 0);
  }
});
