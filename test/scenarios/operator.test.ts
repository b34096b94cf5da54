import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { expectStatus, openPlace, type Place, type PortalProcess } from "../support/processes.ts";

type Account = { readonly address: string; readonly fingerprint: string; readonly state: string; readonly octets: number; readonly quota: number | null; readonly devices: number; readonly seen: string | null };

async function aliceAt(place: Place, portal: PortalProcess): Promise<{ readonly fingerprint: string; readonly device: { readonly fingerprint: string } }> {
  const made = await place.json<{ fingerprint: string; device: { fingerprint: string } }>("desktop", ["create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop", "--no-passphrase"]);
  expectStatus(await place.mesh("desktop", ["password", "add", "github", "--generate"]), 0);
  return made;
}

suite("the operator's view of a running portal", () => {
  test("numbers for Prometheus and a log, which name nobody", { timeout: 60_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const log = join(place.folder, "log");
    const portal = await place.portal({ serve: ["--metrics", "0", "--log", log, "--log-level", "debug"] });
    const alice = await aliceAt(place, portal);
    expectStatus(await place.mesh("bob", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 6);
    const address = /Metrics at (http:\S+)/.exec(portal.said())?.[1] ?? assert.fail(portal.said());
    assert.match(address, /^http:\/\/127\.0\.0\.1:/);
    const answer = await fetch(address);
    assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    const value = (metric: string): number => Number(new RegExp(`^${RegExp.escape(metric)} (\\S+)$`, "m").exec(text)?.[1] ?? assert.fail(`no ${metric} in\n${text}`));
    assert.equal(value('mesh_portal_requests_total{command="CreateAccount",outcome="ok"}'), 1);
    assert.equal(value('mesh_portal_requests_total{command="CreateAccount",outcome="account-name-taken"}'), 1);
    const appended = value('mesh_portal_requests_total{command="CatalogAppend",outcome="ok"}');
    assert.equal(value('mesh_portal_request_seconds_bucket{command="CatalogAppend",le="+Inf"}'), appended);
    assert.ok(value('mesh_portal_store_works_total{kind="transact",outcome="ok"}') >= appended);
    for (const gauge of ["mesh_portal_requests_in_flight", "mesh_portal_connections", 'mesh_portal_store_works_in_flight{kind="read"}', 'mesh_portal_accounts{state="open"}', "mesh_portal_kept_bytes", "mesh_portal_sessions", "process_cpu_seconds_total", 'mesh_portal_event_loop_delay_seconds{quantile="0.99"}']) assert.ok(value(gauge) >= 0, gauge);
    assert.ok(value("process_resident_memory_bytes") > 1e7);
    assert.ok(value("process_start_time_seconds") > 1.7e9);
    for (const line of text.trim().split("\n")) assert.match(line, /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? (?:[0-9.e+-]+|NaN|\+Inf))$/);
    assert.equal((await fetch(new URL("/", address))).status, 404);
    assert.equal((await fetch(address, { method: "POST" })).status, 405);
    const lines = readFileSync(log, "utf8");
    assert.match(lines, /"level":"info","command":"CreateAccount","outcome":"ok"/);
    for (const [what, said] of [["metrics", text], ["log", lines]] as const) {
      for (const secret of ["alice", "github", "desktop", "127.0.0.1", alice.fingerprint, alice.device.fingerprint, portal.pin]) assert.ok(!said.includes(secret), `${secret} in the ${what}`);
    }
  });

  test("accounts and quotas while it serves; limits for everybody when it starts", { timeout: 60_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const portal = await place.portal({ serve: ["--quota", "300K", "--log-level", "warn"] });
    const alice = await aliceAt(place, portal);
    const data = ["--data", portal.directory];
    const [line] = await place.json<Account[]>("operator", ["portal", "accounts", ...data]);
    assert.deepEqual([line?.address, line?.fingerprint, line?.state, line?.quota, line?.devices], ["alice@example.com", alice.fingerprint, "open", null, 1]);
    assert.ok(Math.abs(Date.parse(line?.seen ?? "") - Date.now()) < 60_000);
    assert.deepEqual(await place.json("operator", ["portal", "quota", "ALICE@example.com", "100K", ...data]), { address: "alice@example.com", quota: 102_400 });
    const full = await place.mesh("desktop", ["password", "add", "mail", "--generate", "--json"]);
    assert.equal((JSON.parse(full.stderr) as { code: string }).code, "account-quota");
    assert.match(portal.said(), /"level":"warn","command":"CatalogAppend","outcome":"account-quota"/);
    expectStatus(await place.mesh("operator", ["portal", "quota", "alice@example.com", "default", ...data]), 0);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    assert.deepEqual((await place.json<{ name: string }[]>("desktop", ["password", "list"])).map((one) => one.name), ["github", "mail"]);
    expectStatus(await place.mesh("operator", ["portal", "quota", "carol@example.com", "1G", ...data]), 3);
    expectStatus(await place.mesh("operator", ["portal", "quota", "alice@example.com", "much", ...data]), 2);
    for (const wrong of [["--log-level", "loud"], ["--metrics", "here"], ["--quota", "-"], ["--writes-per-hour", "0"]]) expectStatus(await place.mesh("operator", ["portal", "serve", ...data, ...wrong]), 2);
  });
});
