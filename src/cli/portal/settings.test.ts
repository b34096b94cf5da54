import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, suite, test } from "node:test";

import { makeArgs } from "../args.ts";
import { keepDepot, keepSettings, keepVouching, readSettings, vouchingNow } from "./settings.ts";

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
    ["a newer format", whole.replace('"format":1', '"format":5'), "data-newer"],
    ["a depot in a format whose readers would pass over it", whole.replace('"domain"', '"depot":"/var/depot","domain"'), "data-damaged"],
    ["the format of those with a depot, without one", whole.replace('"format":1', '"format":4'), "data-damaged"],
    ["the format of those that others vouch for, without them", whole.replace('"format":1', '"format":3'), "data-damaged"],
    ["others who vouch for it, in a format whose readers would pass over them", whole.replace('"domain"', '"cosigners":["/etc/mesh/cosigners.txt"],"domain"'), "data-damaged"],
    ["nobody who vouches for it, said at length", whole.replace('"domain"', '"cosigners":[],"domain"').replace('"format":1', '"format":3'), "data-damaged"],
    ["a quorum of none", whole.replace('"domain"', '"cosigners":["/c"],"domain"').replace('"format":1', '"format":3').replace('"port":1', '"port":1,"quorum":0'), "data-damaged"],
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
    writeFileSync(join(directory, "portal.json"), whole.replace('"domain"', '"depot":"/var/depot","domain"').replace('"format":1', '"format":4'));
    assert.equal(readSettings(directory).depot, "/var/depot");
    keepDepot(directory, undefined);
    assert.equal(readFileSync(join(directory, "portal.json"), "utf8"), whole);
  });

  const said = (values: Readonly<Record<string, readonly string[]>>) => vouchingNow(makeArgs({ path: ["portal", "serve"], positionals: [], options: [{ name: "cosign", value: "FILE", many: true, about: "" }, { name: "cosigners", value: "FILE", many: true, about: "" }, { name: "quorum", value: "N", about: "" }] }, [], new Map(Object.entries(values).map(([name, texts]) => [name, { source: "line" as const, texts }]))), readSettings(directory));
  const start = (values: Parameters<typeof said>[0]) => {
    const vouching = said(values);
    keepVouching(directory, vouching);
    return vouching;
  };

  test("keeps who vouches for its log, and for whose it vouches, from one start to the next, until somebody else is named or none", () => {
    keepSettings(directory, { accounts: "open", domain: "example.com", host: "127.0.0.1", port: 1 });
    const text = readFileSync(join(directory, "portal.json"), "utf8");
    assert.deepEqual(start({}), { cosign: [], cosigners: [], quorum: 1 });
    assert.equal(readFileSync(join(directory, "portal.json"), "utf8"), text);
    assert.deepEqual(start({ cosigners: ["/etc/a", "b"], quorum: ["2"] }), { cosign: [], cosigners: ["/etc/a", resolve("b")], quorum: 2 });
    assert.deepEqual(start({}), { cosign: [], cosigners: ["/etc/a", resolve("b")], quorum: 2 });
    assert.deepEqual(start({ cosign: ["/etc/logs"] }), { cosign: ["/etc/logs"], cosigners: ["/etc/a", resolve("b")], quorum: 2 });
    assert.equal(start({ quorum: ["0"] }).quorum, 0, "to start unasked is for once");
    assert.equal(start({}).quorum, 2);
    assert.deepEqual(start({ cosigners: ["none"] }), { cosign: ["/etc/logs"], cosigners: [], quorum: 2 });
    assert.deepEqual(start({}), { cosign: ["/etc/logs"], cosigners: [], quorum: 1 });
    start({ cosign: ["none"] });
    assert.equal(readFileSync(join(directory, "portal.json"), "utf8"), text);
    for (const values of [{ quorum: ["1"] }, { cosigners: ["none", "/etc/a"] }, { cosign: ["/etc/a", "none"] }]) assert.throws(() => said(values), { code: "usage-options-conflict" });
    assert.throws(() => said({ cosigners: ["/etc/a"], quorum: ["17"] }), { code: "usage-option-value" });
  });
});
