import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { expectStatus, openPlace } from "../support/processes.ts";

/** An address of this machine that is not its loopback: who comes from there comes from elsewhere. */
const outside = Object.values(networkInterfaces()).flat().find((one) => one?.family === "IPv4" && !one.internal)?.address;

test("from elsewhere an account takes an invitation, which is good once; a creation that lacked one goes on with it", { timeout: 120_000, skip: outside === undefined ? "this machine has no address but its loopback" : false }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal({ listen: `${outside}:0` });
  const create = (who: string, ...more: string[]) => place.mesh(who, ["create", `${who}@example.com`, "--portal", portal.url, "--no-passphrase", "--json", ...more]);

  assert.match(expectStatus(await create("alice"), 4).stderr, /"code": "account-not-invited"/);
  const { invitation } = await place.json<{ invitation: string }>("portal", ["portal", "invite", "--data", portal.directory]);
  assert.match(expectStatus(await create("alice", "--invitation-file", place.file("wrong", "AAAA-AAAA\n")), 4).stderr, /"code": "account-not-invited"/);
  const file = place.file("invitation", `${invitation}\n`);
  expectStatus(await create("alice", "--invitation-file", file), 0);
  assert.match(expectStatus(await create("bob", "--invitation-file", file), 4).stderr, /"code": "account-not-invited"/);
});
