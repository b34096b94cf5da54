import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { after, before, suite, test } from "node:test";

import { makeCertificate } from "../../src/applications/ssh/certificate.ts";
import { readTarget } from "../../src/applications/ssh/host.ts";
import { addHost, type Wanted } from "../../src/cli/ssh/add-host.ts";
import { agentSocket } from "../../src/cli/ssh/agent-socket.ts";
import { catchUp } from "../../src/cli/ssh/catch-up.ts";
import { tendAndSend } from "../../src/cli/ssh/certificates.ts";
import { cutOffFromServers } from "../../src/cli/ssh/cut-off.ts";
import { writeFiles } from "../../src/cli/ssh/files.ts";
import { bringInStep, readHosts } from "../../src/cli/ssh/in-step.ts";
import { filesIn, type Reach } from "../../src/cli/ssh/reach.ts";
import { takeOut } from "../../src/cli/ssh/take-out.ts";
import { authorityOf, trustNow } from "../../src/cli/ssh/trust.ts";
import { sshKeys } from "../../src/cli/ssh-keys.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { setUpApplication } from "../../src/client/operations/set-up-application.ts";
import { ownKeyOf } from "../../src/client/shares.ts";
import { sync } from "../../src/client/sync.ts";
import { generateEd25519, signEd25519 } from "../../src/crypto/ed25519.ts";
import { deviceOf, type Household, household, join as joinDevice } from "../adversary/household.ts";
import { type ManagedServer, openManaged } from "../support/managed.ts";
import { converse } from "../../src/machine/converse.ts";
import { serveAgent } from "../support/ssh-agent.ts";
import { startPortal, type TestDevice } from "../support/world.ts";

const homes = mkdtempSync(join(tmpdir(), "mesh-homes-"));
after(() => rmSync(homes, { recursive: true, force: true }));

/** As the commands do it. */
async function syncs(...devices: readonly TestDevice[]): Promise<void> {
  for (const { client } of devices) {
    await sync(client);
    await tendAndSend(client);
  }
}

/** The home of a device, of which its own agent and ssh know the servers, and nothing else that gets in. */
function reachOf(name: string, environment: NodeJS.ProcessEnv = { PATH: process.env["PATH"] }): Reach {
  return { home: join(homes, name), environment, mayAsk: false, within: 10_000 };
}

/** Whether plain `ssh NAME` lets a device in by its agent, and nothing else. */
async function getsIn(name: string, device: TestDevice, server = "server1"): Promise<boolean> {
  const reach = reachOf(name);
  await writeFiles(device.client, reach, await readHosts(device.client));
  const path = agentSocket(reach) ?? "";
  mkdirSync(dirname(path), { recursive: true });
  const agent = await serveAgent(path, await ownKeyOf(device.client, "ssh"), await sshKeys(async () => device.client).offer([]));
  try {
    const { said } = await converse("/usr/bin/ssh", ["-F", filesIn(reach.home).config, "-o", "BatchMode=yes", server, "echo in"], { environment: reach.environment, within: 10_000, most: 1000 });
    return new TextDecoder().decode(said) === "in\n";
  } finally {
    await agent.close();
  }
}

/** Everything beside the configuration, as text. */
function filesOf({ etc }: ManagedServer): Readonly<Record<string, string>> {
  const read = (folder: string): readonly [string, string][] => readdirSync(join(etc, folder), { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? read(join(folder, one.name)) : [[join(folder, one.name), readFileSync(join(etc, folder, one.name), "latin1")]]));
  return Object.fromEntries(["mesh", "sshd_config.d"].filter((folder) => existsSync(join(etc, folder))).flatMap(read));
}

suite("managed servers: certificates that a real sshd takes, and a list that ends them (decision 9.2)", () => {
  let server: ManagedServer;
  let mesh: Household;
  let reach: Reach;
  before(async () => {
    // All of it a month ago, and sshd is of today: a month without portal or administration device locks nobody out.
    const portal = await startPortal(undefined, undefined, { clock: { now: Date.now() - 30 * 86_400_000 } });
    [server, mesh] = await Promise.all([openManaged(), household({ laptop: "member" }, portal)]);
    reach = reachOf("desktop", server.environment);
    await setUpApplication(mesh.desktop.client, "ssh");
    await syncs(mesh.desktop, deviceOf(mesh, "laptop"));
  });
  after(() => server.close());
  const device = (name: string) => deviceOf(mesh, name);
  const add = (more: Partial<Wanted> = {}) => addHost(mesh.desktop.client, reach, { typed: readTarget(`${server.user}@127.0.0.1:${server.sshd.port}`), name: "server1", managed: { sshdConfig: server.config }, ...more });

  test("added once, it lets every device in by plain `ssh NAME`; done again, nothing changes", async () => {
    assert.equal((await add()).state, "brought-in-step");
    const files = filesOf(server);
    assert.deepEqual(Object.keys(files).sort(), ["mesh/authorities", "mesh/host-cert.pub", `mesh/principals/${server.user}`, "mesh/revoked", "mesh/state", "sshd_config.d/mesh.conf"]);
    for (const name of Object.keys(files)) assert.equal(statSync(join(server.etc, name)).mode & 0o777, 0o644, name);
    await syncs(mesh.desktop, device("laptop"));
    assert.deepEqual([await getsIn("desktop", mesh.desktop), await getsIn("laptop", device("laptop"))], [true, true], server.sshd.said());
    assert.equal((await add()).state, "in-step");
    assert.deepEqual(filesOf(server), files);
    assert.deepEqual(await catchUp(mesh.desktop.client, reach), [], "what is in step is not reached for again");
  });

  test("a device that joins gets in by its approval alone: nothing on the server changes", async () => {
    const files = filesOf(server);
    mesh = { ...mesh, devices: { ...mesh.devices, phone: await joinDevice(mesh, "phone") } };
    await syncs(mesh.desktop, device("phone"));
    assert.equal(await getsIn("phone", device("phone")), true);
    assert.deepEqual(await catchUp(mesh.desktop.client, reach), [], "nothing is owed to the server");
    assert.deepEqual(filesOf(server), files);
  });

  test("its host key is certified: a device believes it by the certificate alone", async () => {
    const known = readFileSync(filesIn(reach.home).knownHosts, "utf8");
    assert.match(known, /^@cert-authority server1 ssh-ed25519 /m);
    const { config, knownHosts } = filesIn(reach.home);
    writeFileSync(knownHosts, known.replace(/^server1 .*\n/m, ""));
    const { said } = await converse("/usr/bin/ssh", ["-v", "-F", config, "-o", "BatchMode=yes", "-o", `IdentityFile=${server.environment["PATH"]?.split("/bin:")[0]}/own`, "-E", join(homes, "log"), "server1", "echo in"], { environment: {}, within: 10_000, most: 1000 });
    assert.equal(new TextDecoder().decode(said), "in\n", readFileSync(join(homes, "log"), "utf8"));
  });

  test("files that somebody edited are told, and mended", async () => {
    await bringInStep(mesh.desktop.client, reach, await readHosts(mesh.desktop.client), "write");
    const before = filesOf(server);
    for (const name of ["mesh/authorities", "mesh/revoked", "sshd_config.d/mesh.conf", `mesh/principals/${server.user}`]) {
      const hosts = await readHosts(mesh.desktop.client);
      writeFileSync(join(server.etc, name), /conf$|revoked$/.test(name) ? "" : "edited\n");
      assert.equal((await bringInStep(mesh.desktop.client, reach, hosts, "look"))[0]?.state, "stale", name);
      assert.equal((await bringInStep(mesh.desktop.client, reach, hosts, "write"))[0]?.state, "brought-in-step", name);
      assert.deepEqual(filesOf(server), before);
    }
  });

  test("an administration device that is disabled is no authority any more; the others still get in, by the other's certificates", async () => {
    mesh = { ...mesh, devices: { ...mesh.devices, tower: await joinDevice(mesh, "tower", "admin") } };
    await syncs(mesh.desktop, device("tower"), device("laptop"), mesh.desktop);
    assert.deepEqual((await catchUp(mesh.desktop.client, reach)).map((one) => one.state), ["brought-in-step"]);
    assert.deepEqual([await getsIn("tower", device("tower")), await getsIn("laptop", device("laptop"))], [true, true]);
    const trust = await trustNow(device("tower").client);
    const stolen = (await authorityOf(device("tower").client, trust)) ?? assert.fail();
    const minted = generateEd25519();
    const blob = await makeCertificate({ key: minted.publicKey, kind: "user", serial: 1n, id: "another", principals: [trust.principal], from: 0, until: 4_000_000_000 }, stolen);
    const thief = await serveAgent(join(homes, "thief.sock"), { sign: (message) => signEd25519(minted.privateKey, message) }, [{ blob, comment: "minted" }]);
    const steals = async () => new TextDecoder().decode((await converse("/usr/bin/ssh", ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", `IdentityAgent=${thief.path}`, "-p", String(server.sshd.port), `${server.user}@127.0.0.1`, "echo in"], { environment: {}, within: 10_000, most: 1000 })).said) === "in\n";
    try {
      assert.equal(await steals(), true, "as long as it is one");
      await disableDevice(mesh.desktop.client, "tower");
      await sync(mesh.desktop.client);
      assert.deepEqual((await catchUp(mesh.desktop.client, reach)).map((one) => one.state), ["brought-in-step"]);
      assert.deepEqual([await steals(), await getsIn("tower", device("tower")), await getsIn("desktop", mesh.desktop), await getsIn("laptop", device("laptop"))], [false, false, true, true]);
    } finally {
      await thief.close();
    }
  });

  test("a device that knows only of an earlier state does not write it", async () => {
    const before = filesOf(server);
    writeFileSync(join(server.etc, "mesh/state"), (before["mesh/state"] ?? "").replace(/ (\d+)\./, " 9$1."));
    const [state] = await bringInStep(mesh.desktop.client, reach, await readHosts(mesh.desktop.client), "write");
    assert.equal(state?.trouble?.code, "ssh-host-ahead");
    writeFileSync(join(server.etc, "mesh/state"), (before["mesh/state"] ?? "").replace(/^\S+/, "MAAA-BBBB"));
    const [other] = await bringInStep(mesh.desktop.client, reach, await readHosts(mesh.desktop.client), "write");
    assert.equal(other?.trouble?.code, "ssh-host-taken");
    writeFileSync(join(server.etc, "mesh/state"), before["mesh/state"] ?? "");
    assert.deepEqual(filesOf(server), before);
  });

  test("a host certificate that is late in its time is renewed by a sync, without a word", async () => {
    const before = filesOf(server)["mesh/host-cert.pub"];
    mesh.portal.clock.now += 201 * 86_400_000;
    await syncs(mesh.desktop);
    assert.deepEqual((await catchUp(mesh.desktop.client, reach)).map((one) => one.trouble), [undefined]);
    assert.notEqual(filesOf(server)["mesh/host-cert.pub"], before);
    assert.deepEqual(await catchUp(mesh.desktop.client, reach), []);
  });

  test("a disabled device is refused at the next login, and the others are not", async () => {
    const agent = await sshKeys(async () => device("phone").client).offer([]);
    const receipt = await cutOffFromServers(mesh.desktop.client, reach, "phone", await disableDevice(mesh.desktop.client, "phone"));
    assert.ok(receipt.done.includes("server1 does not let phone in any more"), JSON.stringify(receipt));
    assert.equal(agent.length, 2);
    assert.deepEqual([await getsIn("phone", device("phone")), await getsIn("laptop", device("laptop"))], [false, true]);
    assert.match(server.sshd.said(), /Authentication key .* revoked by file/);
  });

  test("taken off, nothing of ours is left, and sshd goes on as before", async () => {
    const [host] = await readHosts(mesh.desktop.client);
    assert.ok(host !== undefined);
    await takeOut(mesh.desktop.client, host, reach, async () => undefined);
    assert.deepEqual(filesOf(server), {});
    assert.equal(await getsIn("laptop", device("laptop")), false);
    assert.equal((await bringInStep(mesh.desktop.client, reach, [host], "look"))[0]?.state, "stale", "the person's own key still gets in");
  });
});
