import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { suite, test } from "node:test";
import { openPlace, type Place, type Ran } from "../support/processes.ts";
import { canMount, openSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { root } from "../tree.ts";

const codeOf = ({ stderr }: Ran): string => (JSON.parse(stderr) as { code: string }).code;

/** A portal on a small disk: made and served where the disk is. */
async function portalOn(place: Place, disk: SmallDisk) {
  const made = await place.shell("operator", `${disk.inside} mesh portal init --data ${disk.path}/portal --domain example.com --json`);
  const { url } = JSON.parse(made.stdout) as { url: string };
  let said = "";
  const serve = async (): Promise<{ readonly child: ChildProcess; readonly stop: (signal: NodeJS.Signals) => Promise<void> }> => {
    said = "";
    const [program = "", ...enter] = disk.inside.split(" ");
    const child = spawn(program, [...enter, `${root}/mesh`, "portal", "serve", "--data", `${disk.path}/portal`, "--depot", `${disk.path}/depot`, "--log", `${disk.path}/log`], { env: { HOME: place.folder, PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "ignore", "pipe"] });
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    await new Promise<void>((done) => {
      child.once("exit", () => done());
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("Portal ready")) done();
      });
    });
    return { child, stop: async (signal) => (child.kill(signal), ended) };
  };
  return { url, serve, said: () => said };
}

suite("a disk that is full, or read-only", { skip: canMount() ? false : "no disk of its own can be mounted here" }, () => {
  test("a portal on it refuses with its own code, loses nothing, and goes on when there is room; ended meanwhile it says why it does not start", { timeout: 90_000 }, async (t) => {
    const place = openPlace();
    const disk = await openSmallDisk(4096);
    t.after(() => disk.close());
    t.after(place.close);
    const portal = await portalOn(place, disk);
    let running = await portal.serve();
    t.after(() => running.child.kill("SIGKILL"));
    const mesh = (...args: string[]): Promise<Ran> => place.mesh("desktop", args);
    assert.equal((await mesh("create", "alice@example.com", "--portal", portal.url, "--no-passphrase")).status, 0);
    assert.equal((await mesh("password", "add", "before", "--generate")).status, 0);
    disk.fill();
    // As offline: what is done here is kept here, and sent when it can be.
    assert.equal((await mesh("password", "add", "full", "--generate")).status, 0);
    assert.equal((await mesh("password", "attach", "full", place.file("scan", "x".repeat(200_000)))).status, 0);
    // What was taken into the database leaves room in the journal for a few more: only then there is none.
    let sync = await mesh("sync", "--json");
    for (let more = 1; sync.status === 0 && more < 30; more++) {
      assert.equal((await mesh("password", "add", `full ${more}`, "--generate")).status, 0);
      sync = await mesh("sync", "--json");
    }
    assert.deepEqual([sync.status, codeOf(sync)], [7, "service-full"]);
    // Of a write, or of its log, which is written as often.
    assert.match(portal.said(), /"level":"error","command":"CatalogAppend","outcome":"store-full"|epoch-failed/);
    disk.free();
    assert.equal((await mesh("sync")).status, 0);
    disk.fill();
    await running.stop("SIGKILL");
    disk.free();
    running = await portal.serve();
    assert.equal((await mesh("sync")).status, 0);
    assert.equal((await mesh("password", "add", "after", "--generate")).status, 0);
    await running.stop("SIGTERM");

    disk.fill();
    for (const [wanted, change] of [["store-full", () => disk.free()], ["store-read-only", () => disk.readOnly(false)]] as const) {
      if (wanted === "store-read-only") disk.readOnly(true);
      const tried = await place.shell("operator", `timeout 20 ${disk.inside} mesh portal serve --data ${disk.path}/portal --json`);
      assert.deepEqual([tried.status, codeOf(tried)], [1, wanted]);
      // Whoever looks, looks; whoever saves what is there, saves it elsewhere.
      for (const command of ["portal accounts", "portal check", `portal backup --out ${place.folder}/${wanted}`]) {
        const ran = await place.shell("operator", `${disk.inside} mesh ${command} --data ${disk.path}/portal`);
        assert.equal(ran.status, 0, ran.stderr);
      }
      change();
    }
    running = await portal.serve();
    assert.equal((await mesh("sync")).status, 0);
    assert.deepEqual((JSON.parse((await mesh("password", "list", "--json")).stdout) as { name: string }[]).map((one) => one.name).filter((name) => !/^full \d+$/.test(name)), ["after", "before", "full"]);
  });

  test("a device on it reads all it has, refuses to write with its own code, and goes on when there is room", { timeout: 90_000 }, async (t) => {
    const place = openPlace();
    const disk = await openSmallDisk(4096);
    t.after(() => disk.close());
    t.after(place.close);
    const portal = await place.portal();
    const mesh = (line: string): Promise<Ran> => place.shell("desktop", `${disk.inside} mesh ${line}`, { MESH_HOME: `${disk.path}/home` });
    assert.equal((await mesh(`create alice@example.com --portal '${portal.url}' --no-passphrase`)).status, 0);
    assert.equal((await mesh("password add before --generate")).status, 0);
    const kept = (await mesh("password get before")).stdout;
    for (const [wanted, begin, end] of [["store-full", () => disk.fill(), () => disk.free()], ["store-read-only", () => disk.readOnly(true), () => disk.readOnly(false)]] as const) {
      begin();
      assert.equal((await mesh("password get before")).stdout, kept);
      for (const line of ["password list", "status", "device list"]) assert.equal((await mesh(line)).status, 0, `${line} with ${wanted}`);
      for (const line of [`password add ${wanted} --generate --json`, "sync --json"]) {
        const ran = await mesh(line);
        assert.deepEqual([ran.status, codeOf(ran)], [1, wanted], line);
      }
      end();
      assert.equal((await mesh(`password add ${wanted} --generate`)).status, 0);
    }
    assert.equal((await mesh("sync")).status, 0);
    assert.deepEqual((JSON.parse((await mesh("password list --json")).stdout) as { name: string }[]).map((one) => one.name), ["before", "store-full", "store-read-only"]);
    assert.equal((await mesh("doctor")).status, 0);
  });
});
