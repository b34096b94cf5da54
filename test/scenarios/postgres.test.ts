import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openCluster, withoutPostgres } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";
import { expectStatus, openPlace } from "../support/processes.ts";

type Login = { readonly name: string };

describe("a portal on PostgreSQL", { skip: withoutPostgres }, () => {
  test("two processes on one database and one depot serve one mesh: made through one, joined through the other, and the same after either is gone", { timeout: 240_000 }, async (t) => {
    const [cluster, place] = [await openCluster(), openPlace()];
    t.after(async () => (await place.close(), cluster.close()));
    const directory = place.home("portal");
    const made = await place.json<{ url: string; fingerprint: string }>("operator", ["portal", "init", "--data", directory, "--domain", "example.com", "--accounts", "open", "--database", cluster.url, "--depot", place.home("depot")]);
    // Another process, on another machine if one likes: the same keys and the same database, another address.
    const other = place.home("portal-two");
    cpSync(directory, other, { recursive: true });
    const settings = JSON.parse(readFileSync(join(other, "portal.json"), "utf8")) as Record<string, unknown>;
    const port = await freePort();
    writeFileSync(join(other, "portal.json"), readFileSync(join(other, "portal.json"), "utf8").replace(`"port":${String(settings["port"])}`, `"port":${port}`));
    const [one, two] = [place.made(directory), place.made(other, ["--database", cluster.url])];
    await one.start();
    await two.start();

    expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", made.url, "--device-name", "desktop", "--no-passphrase"]), 0);
    const pin = place.file("code", `${(await place.json<{ pin: string }>("desktop", ["device", "pin"])).pin}\n`);
    const join2 = ["join", "alice@example.com", "--portal", `https://127.0.0.1:${port}#${made.fingerprint}`, "--no-passphrase", "--pin-file", pin];
    expectStatus(await place.mesh("laptop", join2), 5);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--pin-file", pin]), 0);
    for (let n = 0; n < 3; n++) {
      const runs = await Promise.all([place.mesh("desktop", ["password", "add", `desktop-${n}`, "--generate"]), place.mesh("laptop", ["password", "add", `laptop-${n}`, "--generate"])]);
      for (const ran of runs) expectStatus(ran, 0);
    }
    expectStatus(await place.mesh("desktop", ["password", "attach", "desktop-0", place.file("scan", "x".repeat(100_000))]), 0);
    await one.stop("SIGKILL");
    expectStatus(await place.mesh("laptop", ["sync"]), 0);
    expectStatus(await place.mesh("laptop", ["password", "save", "desktop-0", "scan", "--out", join(place.folder, "saved")]), 0);
    assert.equal(readFileSync(join(place.folder, "saved"), "utf8"), "x".repeat(100_000));
    await one.start();
    await two.stop("SIGKILL");
    for (const who of ["desktop"]) expectStatus(await place.mesh(who, ["sync"]), 0);
    const names = (await place.json<Login[]>("desktop", ["password", "list"])).map((login) => login.name).sort();
    assert.deepEqual(names, ["desktop-0", "desktop-1", "desktop-2", "laptop-0", "laptop-1", "laptop-2"]);
    const accounts = await place.json<{ address: string; devices: number }[]>("operator", ["portal", "accounts", "--data", directory]);
    assert.deepEqual(accounts.map(({ address, devices }) => ({ address, devices })), [{ address: "alice@example.com", devices: 2 }]);
    expectStatus(await place.mesh("operator", ["portal", "check", "--data", directory]), 0);
  });

  test("a database of another portal, a password in the URL and a server that is away are refused, each with its code", { timeout: 120_000 }, async (t) => {
    const [cluster, place] = [await openCluster(), openPlace()];
    t.after(async () => (await place.close(), cluster.close()));
    const init = (name: string, url: string) => place.mesh("operator", ["portal", "init", "--data", place.home(name), "--domain", "example.com", "--database", url, "--json"]);
    const told = async (args: readonly string[], status: number): Promise<string> => (({ stdout, stderr }) => stdout + stderr)(expectStatus(await place.mesh("operator", [...args, "--json"]), status));
    for (const name of ["one", "two"]) expectStatus(await init(name, cluster.url), 0);
    expectStatus(await place.mesh("operator", ["portal", "accounts", "--data", place.home("one")]), 0);
    assert.match(await told(["portal", "accounts", "--data", place.home("two")], 6), /store-wrong-portal/);
    const secret = expectStatus(await init("three", "postgres://mesh:hunter2@127.0.0.1/mesh"), 2);
    assert.match(secret.stdout + secret.stderr, /store-url/);
    assert.doesNotMatch(secret.stdout + secret.stderr, /hunter2/);
    assert.match(await told(["portal", "backup", "--data", place.home("one"), "--out", join(place.folder, "backup")], 1), /store-not-a-file/);
    // A process whose machine's clock is five seconds slow.
    const slow = place.file("slow.mjs", "const now = Date.now; Date.now = () => now() - 5000;");
    const off = await place.mesh("operator", ["portal", "serve", "--data", place.home("one"), "--json"], { NODE_OPTIONS: `--import=${slow}` });
    assert.match(expectStatus(off, 1).stderr, /store-clock-off[^]*5\.\d seconds ahead of this machine's/);
    await cluster.stop();
    assert.match(await told(["portal", "accounts", "--data", place.home("one")], 7), /store-unreachable/);
  });
});

describe("portal migrate", { skip: withoutPostgres }, () => {
  test("moves a portal into PostgreSQL and back; whoever serves from what was left is stopped; a database that was left is not filled again", { timeout: 240_000 }, async (t) => {
    const [cluster, place] = [await openCluster(), openPlace()];
    t.after(async () => (await place.close(), cluster.close()));
    const portal = await place.portal();
    expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop", "--no-passphrase"]), 0);
    for (const name of ["a", "b"]) expectStatus(await place.mesh("desktop", ["password", "add", name, "--generate"]), 0);
    const migrate = (to: string) => place.mesh("operator", ["portal", "migrate", "--data", portal.directory, "--to", to, "--json"]);
    expectStatus(await migrate(cluster.url), 0);
    // It still serves, and may write no more into what was moved: what is added now waits for its restart.
    assert.notEqual((await place.mesh("laptop", ["create", "bob@example.com", "--portal", portal.url, "--no-passphrase"])).status, 0);
    await portal.stop();
    await portal.start();
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    await portal.stop();
    expectStatus(await migrate(portal.directory), 0);
    await portal.start();
    expectStatus(await place.mesh("desktop", ["password", "add", "c", "--generate"]), 0);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    await portal.stop();
    const names = (await place.json<Login[]>("desktop", ["password", "list"])).map((login) => login.name);
    assert.deepEqual(names.sort(), ["a", "b", "c"]);
    expectStatus(await place.mesh("operator", ["portal", "check", "--data", portal.directory]), 0);
    const refused = expectStatus(await migrate(cluster.url), 6);
    assert.match(refused.stdout + refused.stderr, /data-exists/);
    expectStatus(await place.mesh("operator", ["portal", "check", "--data", portal.directory]), 0);
  });
});
