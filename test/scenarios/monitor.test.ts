import assert from "node:assert/strict";
import { copyFileSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { utf8 } from "../../src/bytes/text.ts";
import { openPortalData } from "../../src/cli/portal/data.ts";
import { errorResponse, type HttpResponse } from "../../src/http/answer.ts";
import { openConnection } from "../../src/http/call.ts";
import { serve } from "../../src/http/serve.ts";
import { expectStatus, openPlace, type PortalProcess } from "../support/processes.ts";

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

/** Stands in front of a portal, with its TLS key as a proxy of its operator's has it, and answers for a checkpoint as told until it is told nothing more. */
async function frontOf(portal: PortalProcess, said: HttpResponse[]): Promise<{ readonly url: string; readonly asked: () => number; readonly close: () => Promise<void> }> {
  const { tls } = await openPortalData(portal.directory);
  const behind = openConnection(`https://127.0.0.1:${portal.port}`, { trust: "any" });
  let asked = 0;
  const served = await serve({
    host: "127.0.0.1",
    port: 0,
    tls,
    handle: async ({ body, method, path }) => {
      asked += path.endsWith("/checkpoint") ? 1 : 0;
      const instead = path.endsWith("/checkpoint") ? said.shift() : undefined;
      if (instead !== undefined) return instead;
      const answer = method === "GET" ? await behind.get(path, {}) : await behind.post(path, { "content-type": "application/json" }, body);
      return { status: answer.status, headers: { "content-type": answer.headers["content-type"] ?? "" }, body: answer.body };
    },
  });
  return { url: `https://127.0.0.1:${served.port}#${portal.pin}`, asked: () => asked, close: () => (behind.close(), served.close()) };
}

test("a monitor that repeats goes on past a portal without a checkpoint, one that counts its requests, and a proxy that speaks for it; one that looks once says so", { timeout: 60_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  const proxy: HttpResponse = { status: 502, headers: { "content-type": "text/html" }, body: utf8("<html>Bad Gateway</html>") };
  const passing = (): HttpResponse[] => [errorResponse(404, "store-not-found", "There is nothing here, or not yet."), errorResponse(429, "service-rate-limited", "Too many requests."), proxy, errorResponse(503, "service-busy", "The portal is starting; ask again.")];
  const said: HttpResponse[] = [];
  const front = await frontOf(portal, said);
  t.after(front.close);
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 0);
  for (const [at, status] of [3, 1, 1, 7].entries()) {
    said.push(passing()[at] ?? assert.fail());
    expectStatus(await place.mesh("sceptic", ["log", "monitor", front.url]), status);
  }
  said.push(...passing());
  const watching = place.start("sceptic", ["log", "monitor", front.url, "--every", "1"]);
  // Four that are not its last, the one that is well, and the one after that, by which it has told of it.
  const before = front.asked();
  for (let tries = 0; front.asked() < before + 6; tries++) {
    assert.ok(tries < 200, "it does not ask again");
    await pause(100);
  }
  watching.kill("SIGINT");
  const { stdout, stderr } = await watching.ended;
  assert.match(stdout, /^example\.com\/mesh\/1: \d+ entries, \d+ of them new; its tree, its map and its versions are right\./m);
  assert.equal(stderr.match(/It is tried again in 1 s\./g)?.length, 4, stderr);
});

test("a monitor without a pin knows a portal by the system's authorities; one that knew its log follows it to the next one after a restore, once told so, and keeps what it had read", { timeout: 60_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 0);
  await pause(EPOCH);
  const bare = portal.url.split("#")[0] ?? "";
  const { code } = JSON.parse(expectStatus(await place.mesh("sceptic", ["log", "monitor", bare, "--json"]), 1).stderr) as Refused;
  assert.equal(code, "service-untrusted");
  const trusting = { NODE_EXTRA_CA_CERTS: join(portal.directory, "certificate.pem") };
  const first = JSON.parse(expectStatus(await place.mesh("sceptic", ["log", "monitor", bare, "--json"], trusting), 0).stdout) as Seen;
  assert.ok(first.size > 0);

  const [backup, restored] = [join(place.folder, "backup"), join(place.folder, "restored")];
  expectStatus(await place.mesh("operator", ["portal", "backup", "--data", portal.directory, "--out", backup]), 0);
  await portal.stop();
  expectStatus(await place.mesh("operator", ["portal", "restore", backup, "--data", restored]), 0);
  await place.made(restored).start();
  const followed = expectStatus(await place.mesh("sceptic", ["log", "monitor", portal.url]), 0);
  assert.match(followed.stderr, /The portal ended its log example\.com\/mesh\/1 \(\d+ entries\) and began another, example\.com\/mesh\/[2-9]\d*\./);
  assert.match(followed.stdout, /^example\.com\/mesh\/[2-9]\d*: \d+ entries/m);
  assert.ok(existsSync(`${first.state}.1`));
  assert.equal(expectStatus(await place.mesh("sceptic", ["log", "monitor", portal.url]), 0).stderr, "", "it is told once");
});
