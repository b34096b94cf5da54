import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { readSettings } from "./data.ts";

suite("a portal's settings", () => {
  const directory = mkdtempSync(join(tmpdir(), "mesh-data-"));
  after(() => rmSync(directory, { recursive: true }));
  const whole = '{"accounts":"open","domain":"example.com","format":1,"host":"127.0.0.1","port":1}';

  for (const [why, text, code] of [
    ["nothing", "null", "data-damaged"],
    ["a list", "[]", "data-damaged"],
    ["no format", "{}", "data-damaged"],
    ["a port that none has", whole.replace('"port":1', '"port":65536'), "data-damaged"],
    ["no JSON", whole.slice(1), "data-damaged"],
    ["a format that never was", whole.replace('"format":1', '"format":0'), "data-damaged"],
    ["a newer format", whole.replace('"format":1', '"format":3'), "data-newer"],
    ["the format of those with a database, without one", whole.replace('"format":1', '"format":2'), "data-damaged"],
    ["a database in a format whose readers would pass over it", whole.replace('"domain"', '"database":"postgres://db/p","domain"'), "data-damaged"],
  ] as const) {
    test(`refuses ${why}`, () => {
      writeFileSync(join(directory, "portal.json"), text);
      assert.throws(() => readSettings(directory), { code });
    });
  }

  test("reads its own", () => {
    writeFileSync(join(directory, "portal.json"), whole);
    assert.equal(readSettings(directory).domain, "example.com");
    writeFileSync(join(directory, "portal.json"), whole.replace('"domain"', '"database":"postgres://db/p","domain"').replace('"format":1', '"format":2'));
    assert.equal(readSettings(directory).database, "postgres://db/p");
  });
});
