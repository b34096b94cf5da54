import assert from "node:assert/strict";
import { test } from "node:test";
import { expectStatus, openPlace, type Place } from "../support/processes.ts";

type Device = { readonly name: string; readonly roles: readonly string[]; readonly status: string };
type Request = { readonly name: string; readonly words: string };

/** A mesh with two administration devices, and devices that ask to join it. */
async function twoAdministrators(place: Place, asking: readonly string[]): Promise<readonly Request[]> {
  const portal = await place.portal();
  const on = ["--portal", portal.url, "--no-passphrase"];
  const { fingerprint } = await place.json<{ fingerprint: string }>("desktop", ["create", "alice@example.com", "--device-name", "desktop", ...on]);
  const address = `alice@example.com#${fingerprint}`;
  expectStatus(await place.mesh("laptop", ["join", address, "--device-name", "laptop", ...on]), 5);
  const [first] = await place.json<Request[]>("desktop", ["device", "pending"]);
  expectStatus(await place.mesh("desktop", ["device", "accept", first?.words ?? "", "--role", "admin"]), 0);
  expectStatus(await place.mesh("laptop", ["join", address]), 0);
  for (const name of asking) expectStatus(await place.mesh(name, ["join", address, "--device-name", name, ...on]), 5);
  return place.json<Request[]>("laptop", ["device", "pending"]);
}

async function listed(place: Place, who: string): Promise<readonly string[]> {
  return (await place.json<Device[]>(who, ["device", "list"])).map(({ name, status }) => `${name} ${status}`).sort();
}

test("two administration devices that accept one request at once let it in once, and both say its three words", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const [request] = await twoAdministrators(place, ["tablet"]);
  const accepts = await Promise.all(["desktop", "laptop"].map((who) => place.mesh(who, ["device", "accept", request?.words ?? "", "--json"])));
  // The words follow from the request, so who was slower says the same.
  const answers = accepts.map((ran) => expectStatus(ran, 0).stdout);
  assert.equal(answers[0], answers[1]);
  expectStatus(await place.mesh("tablet", ["join", "alice@example.com"]), 0);
  for (const who of ["desktop", "laptop", "desktop"]) expectStatus(await place.mesh(who, ["sync"]), 0);
  for (const who of ["desktop", "laptop", "tablet"]) assert.deepEqual(await listed(place, who), ["desktop active", "laptop active", "tablet active"]);
});

test("two administration devices that accept two devices at once let in both", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const requests = await twoAdministrators(place, ["tablet", "phone"]);
  const words = (name: string): string => requests.find((one) => one.name === name)?.words ?? "";
  const accepts = await Promise.all([place.mesh("desktop", ["device", "accept", words("tablet")]), place.mesh("laptop", ["device", "accept", words("phone")])]);
  for (const ran of accepts) expectStatus(ran, 0);
  for (const who of ["tablet", "phone"]) expectStatus(await place.mesh(who, ["join", "alice@example.com"]), 0);
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  assert.deepEqual(await listed(place, "desktop"), ["desktop active", "laptop active", "phone active", "tablet active"]);
});

test("two commands on one device at once do both their work", { timeout: 120_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 0);
  const names = ["a", "b", "c", "d"];
  for (const ran of await Promise.all(names.map((name) => place.mesh("desktop", ["password", "add", name, "--generate"])))) expectStatus(ran, 0);
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  assert.deepEqual((await place.json<{ name: string }[]>("desktop", ["password", "list"])).map((one) => one.name).sort(), names);
});
