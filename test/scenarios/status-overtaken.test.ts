import assert from "node:assert/strict";
import { test } from "node:test";

import { standBack } from "../../src/cli/stand-back.ts";
import { makeClient } from "../../src/client/client.ts";
import { sync } from "../../src/client/sync.ts";
import { household, names, save } from "../adversary/household.ts";

test("a command whose Status was overtaken by another on the same device raises no alarm: the portal is held to what was known before it was asked", async () => {
  const alice = await household();
  const { store, keyring, client } = alice.desktop;
  const other = { ...alice.desktop, client: makeClient({ store, keyring, now: client.now, connect: client.connect, standBack }) };
  let overtaken = false;
  alice.portal.meddler.answer = async (request, answer) => {
    if (overtaken || !new TextDecoder().decode(request.body).startsWith('{"Status"')) return answer;
    overtaken = true;
    // The answer is on its way while the other command appends, and writes home what came of it.
    await save(other, "github");
    return answer;
  };
  await sync(client);
  assert.ok(overtaken);
  await sync(client);
  assert.deepEqual(await names(alice.desktop), ["github"]);
});
