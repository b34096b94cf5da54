import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../../src/bytes/text.ts";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { makePin } from "../../src/client/operations/pin.ts";
import { sync } from "../../src/client/sync.ts";
import { SERVICE_PATH } from "../../src/protocol/wire.ts";
import { address, deviceOf, household } from "./household.ts";
import { newDevice, startPortal, type TestPortal } from "../support/world.ts";

async function refusal(portal: TestPortal, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const answer = await portal.portal.handle({ method: "POST", path: SERVICE_PATH, query: "", headers, body: typeof body === "string" ? utf8(body) : body, remote: "192.0.2.7" });
  return (JSON.parse(new TextDecoder().decode(answer.body)) as { error?: { code: string } }).error?.code ?? "ok";
}

suite("a portal refuses what is malformed, each with its own code, and changes nothing (decisions 2.5, 8.2, 8.4)", () => {
  const cases: readonly (readonly [string, string | Uint8Array, string, Record<string, string>?])[] = [
    ["a well-formed Hello is answered", '{"Hello":{}}', "ok"],
    ["cut off", '{"Hello":{', "json-malformed"],
    ["empty", "", "json-malformed"],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "json-malformed"],
    ["a member twice", '{"Hello":{},"Hello":{}}', "json-duplicate-member"],
    ["a member twice, spelt differently", '{"Hello":{},"H\\u0065llo":{}}', "json-duplicate-member"],
    ["nested too deep", `{"Hello":${"[".repeat(40)}${"]".repeat(40)}}`, "json-too-deep"],
    ["too large", new Uint8Array(1024 * 1024 + 1).fill(0x20), "json-too-large"],
    ["two commands", '{"Hello":{},"Status":{}}', "request-malformed"],
    ["an unknown command", '{"Obey":{}}', "request-unknown-command"],
    ["a name that every object has", '{"constructor":{}}', "request-unknown-command"],
    ["a list for a request", '{"Hello":[]}', "request-malformed"],
    ["an unknown member", '{"Hello":{"more":1}}', "request-malformed"],
    ["a command for members without a session", '{"Status":{}}', "session-required"],
    ["a session that was never opened", '{"Status":{}}', "session-unknown", { "mesh-session": "AAAAAAAAAAAAAAAAAAAAAA", "mesh-counter": "1", "mesh-mac": "x" }],
    ["a counter that is none", '{"Status":{}}', "request-malformed", { "mesh-session": "AAAAAAAAAAAAAAAAAAAAAA", "mesh-counter": "-1" }],
    ["a signed object that is none", '{"CreateAccount":{"account":{"payload":"","protected":"","signature":""},"parts":[]}}', "request-malformed"],
  ];
  for (const [name, body, code, headers] of cases) {
    test(name, async () => {
      const portal = await startPortal();
      assert.equal(await refusal(portal, body, headers), code);
      for (const shelf of ["meshes", "accounts", "objects", "sessions"]) assert.deepEqual(await portal.store.read((r) => r.list(shelf, "")), []);
    });
  }
});

test("a member may not answer requests or make PINs (decision 4.9)", async () => {
  const home = await household({ laptop: "member" });
  const stranger = newDevice(home.portal);
  const asked = await joinMesh(stranger.client, { address, deviceName: "stranger", portal: home.at });
  const laptop = deviceOf(home, "laptop");
  await assert.rejects(acceptConnection(laptop.client, asked.words, "member"), { code: "device-not-administrator" });
  await assert.rejects(makePin(laptop.client, 3_600_000), { code: "device-not-administrator" });
  await sync(laptop.client);
});

test("a portal's clock ten years off, either way and in between, stops nothing (decision 8.4)", async () => {
  for (const years of [-10, 10]) {
    const portal = await startPortal();
    portal.clock.now += years * 365 * 86_400_000;
    const home = await household({ laptop: "member" }, portal);
    // The operator sets it right: time jumps, and everybody goes on.
    portal.clock.now -= years * 365 * 86_400_000;
    for (const device of [home.desktop, deviceOf(home, "laptop")]) await sync(device.client);
  }
});
