import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { digestOf } from "../../src/envelope/signed.ts";
import { expectStatus, openPlace, type Place, type PortalProcess } from "../support/processes.ts";

/** Files of more than one blob. */
const OCTETS = 700_000;

const DAY_MS = 86_400_000;

/** A portal with a depot, and alice's device with a file attached to a login. */
async function portalWithDepot(t: TestContext) {
  const place = openPlace();
  t.after(place.close);
  const depot = join(place.folder, "depot");
  const portal = await place.portal({ serve: ["--depot", depot] });
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop", "--no-passphrase"]), 0);
  expectStatus(await place.mesh("desktop", ["password", "add", "bank", "--generate"]), 0);
  const octets = randomBytes(OCTETS);
  writeFileSync(join(place.folder, "scan"), octets);
  expectStatus(await place.mesh("desktop", ["password", "attach", "bank", join(place.folder, "scan")]), 0);
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  return { place, portal, depot, octets };
}

const blobsIn = (depot: string): readonly string[] => readdirSync(depot, { recursive: true, withFileTypes: true }).filter((one) => one.isFile() && one.name.length === 86).map((one) => join(one.parentPath, one.name));
const codeOf = ({ stderr }: { readonly stderr: string }): string => (JSON.parse(stderr) as { code: string }).code;

/** What is attached comes back from the portal, for a device that never had it. */
async function readsBack(place: Place, { url }: Pick<PortalProcess, "url">, octets: Uint8Array, who: string): Promise<void> {
  const pin = place.file(`${who}-pin`, `${(await place.json<{ pin: string }>("desktop", ["device", "pin"])).pin}\n`);
  expectStatus(await place.mesh(who, ["join", "alice@example.com", "--portal", url, "--pin-file", pin, "--no-passphrase"]), 5);
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  expectStatus(await place.mesh(who, ["join", "alice@example.com", "--pin-file", pin]), 0);
  const out = join(place.folder, `${who}-scan`);
  expectStatus(await place.mesh(who, ["password", "save", "bank", "scan", "--out", out]), 0);
  assert.ok(readFileSync(out).equals(octets));
}

suite("a portal with a depot", () => {
  test("has blobs there and not in its file; a backup has them, and restored, with a depot or without, it gives them back", { timeout: 120_000 }, async (t) => {
    const { place, portal, depot, octets } = await portalWithDepot(t);
    const kept = blobsIn(depot);
    assert.ok(kept.reduce((sum, path) => sum + statSync(path).size, 0) >= OCTETS);
    for (const path of kept) assert.equal(digestOf(readFileSync(path)), path.slice(-86));
    assert.ok(statSync(join(portal.directory, "portal.db")).size + statSync(join(portal.directory, "portal.db-wal")).size < OCTETS);
    const backup = join(place.folder, "backup");
    expectStatus(await place.mesh("operator", ["portal", "backup", "--data", portal.directory, "--out", backup]), 0);
    assert.ok(statSync(backup).size > OCTETS);
    expectStatus(await place.mesh("operator", ["portal", "check", "--data", portal.directory]), 0);
    await portal.stop();
    rmSync(depot, { recursive: true });
    for (const [name, more] of [["whole", []], ["parted", ["--depot", join(place.folder, "other")]]] as const) {
      const directory = place.home(name);
      expectStatus(await place.mesh("operator", ["portal", "restore", backup, "--data", directory, ...more]), 0);
      assert.equal(blobsIn(place.folder).length > 0, name === "parted");
      expectStatus(await place.mesh("operator", ["portal", "check", "--data", directory]), 0);
    }
    const restored = place.made(place.home("parted"));
    await restored.start();
    expectStatus(await place.mesh("desktop", ["sync", "--bring-back"]), 0);
    await readsBack(place, portal, octets, "laptop");
    assert.equal(codeOf(expectStatus(await place.mesh("operator", ["portal", "restore", backup, "--data", place.home("third"), "--depot", join(place.folder, "other"), "--json"]), 6)), "data-exists");
  });

  test("moves blobs and tiles into its file and back, stopped; the directory may be moved too", { timeout: 120_000 }, async (t) => {
    const { place, portal, depot, octets } = await portalWithDepot(t);
    const migrate = (to: string) => place.mesh("operator", ["portal", "migrate", "--data", portal.directory, "--depot", to, "--json"]);
    assert.equal(codeOf(expectStatus(await migrate("none"), 1)), "store-busy");
    await portal.stop();
    const before = blobsIn(depot).length;
    assert.deepEqual((JSON.parse(expectStatus(await migrate("none"), 0).stdout) as { values: number }).values, before);
    assert.ok(statSync(join(portal.directory, "portal.db")).size > OCTETS);
    expectStatus(await migrate("none"), 6);
    const inFile = place.made(portal.directory);
    await inFile.start();
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    await inFile.stop();
    assert.equal(codeOf(expectStatus(await place.mesh("operator", ["portal", "serve", "--data", portal.directory, "--depot", depot, "--json"]), 6)), "data-exists");
    rmSync(depot, { recursive: true });
    expectStatus(await migrate(depot), 0);
    assert.equal(blobsIn(depot).length, before);
    const elsewhere = join(place.folder, "elsewhere");
    renameSync(depot, elsewhere);
    const again = place.made(portal.directory, ["--depot", elsewhere]);
    await again.start();
    await readsBack(place, portal, octets, "laptop");
    await again.stop();
    expectStatus(await place.mesh("operator", ["portal", "check", "--data", portal.directory]), 0);
  });

  test("does not start without it, or with another; what is missing or changed there is named, and what nothing names is taken away after a day", { timeout: 120_000 }, async (t) => {
    const { place, portal, depot } = await portalWithDepot(t);
    await portal.stop();
    const settings = join(portal.directory, "portal.json");
    const kept = readFileSync(settings, "utf8");
    const refused = async (more: readonly string[], status: number): Promise<string> => codeOf(expectStatus(await place.mesh("operator", ["portal", "serve", "--data", portal.directory, ...more, "--json"]), status));
    renameSync(depot, `${depot}-away`);
    assert.equal(await refused([], 7), "store-unreachable");
    cpSync(`${depot}-away`, depot, { recursive: true });
    writeFileSync(join(depot, "depot.json"), readFileSync(join(depot, "depot.json"), "utf8").replace(/"id":"./, '"id":"-'));
    assert.equal(await refused([], 6), "store-wrong-portal");
    writeFileSync(settings, kept.replace(/"depot":"[^"]*",/, "").replace('"format":4', '"format":1'));
    assert.equal(await refused([], 1), "data-damaged");
    rmSync(depot, { recursive: true });
    renameSync(`${depot}-away`, depot);
    writeFileSync(settings, kept);

    const check = (status: number, ...more: string[]) => place.json<{ findings: readonly { what: string; repairable: boolean }[]; loose: number; cleared: number }>("operator", ["portal", "check", "--data", portal.directory, ...more], [status]);
    const stray = join(depot, "A", "A".repeat(86));
    writeFileSync(stray, "nobody's");
    assert.equal((await check(0)).loose, 0);
    const old = new Date(Date.now() - 2 * DAY_MS);
    for (const path of blobsIn(depot)) utimesSync(path, old, old);
    const before = blobsIn(depot).length;
    assert.deepEqual([(await check(0)).loose, blobsIn(depot).length], [1, before]);
    assert.equal((await check(0, "--repair")).cleared, 1);
    assert.equal(blobsIn(depot).length, before - 1);

    const [first = "", second = ""] = blobsIn(depot);
    writeFileSync(first, "changed");
    rmSync(second);
    assert.deepEqual((await check(1, "--repair")).findings.map(({ what, repairable }) => `${what} ${repairable}`), ["body-damaged false", "body-damaged false"]);
    const backup = await place.json<{ broken?: number }>("operator", ["portal", "backup", "--data", portal.directory, "--out", join(place.folder, "backup")]);
    assert.equal(backup.broken, 2);
  });
});
