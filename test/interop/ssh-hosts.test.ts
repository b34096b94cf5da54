import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { readBlock } from "../../src/applications/ssh/block.ts";
import { pinHost } from "../../src/applications/ssh/edit-host.ts";
import { findHost, readTarget } from "../../src/applications/ssh/host.ts";
import { ED25519, ed25519Blob, fingerprintOf, readKeyLine } from "../../src/applications/ssh/public-key.ts";
import { addHost, type Wanted } from "../../src/cli/ssh/add-host.ts";
import { agentSocket } from "../../src/cli/ssh/agent-socket.ts";
import { catchUp } from "../../src/cli/ssh/catch-up.ts";
import { cutOffFromServers } from "../../src/cli/ssh/cut-off.ts";
import { dueKeys } from "../../src/cli/ssh/due-keys.ts";
import { writeFiles } from "../../src/cli/ssh/files.ts";
import { bringInStep, readHosts } from "../../src/cli/ssh/in-step.ts";
import { filesIn, type Reach } from "../../src/cli/ssh/reach.ts";
import { takeOut } from "../../src/cli/ssh/take-out.ts";
import { editEntries } from "../../src/client/catalog.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { setUpApplication } from "../../src/client/operations/set-up-application.ts";
import { ownKeyOf } from "../../src/client/shares.ts";
import { sync } from "../../src/client/sync.ts";
import { generateEd25519 } from "../../src/crypto/ed25519.ts";
import { agreed, deviceOf, type Household, household, join as joinDevice } from "../adversary/household.ts";
import { type Account, openAccount } from "../support/account.ts";
import { serveAgent } from "../support/ssh-agent.ts";
import type { TestDevice } from "../support/world.ts";

const block = "alice@example.com";
const homes: string[] = [];
after(() => homes.forEach((home) => rmSync(home, { recursive: true, force: true })));

function reachOf({ environment }: Pick<Account, "environment">): Reach {
  const home = mkdtempSync(join(tmpdir(), "mesh-home-"));
  homes.push(home);
  return { home, environment, mayAsk: false, within: 10_000 };
}

/** Alice's mesh with SSH, and an account on a server into which her own ssh gets. */
async function scene(force?: string, before?: Household, elsewhere?: string): Promise<{ readonly account: Account; readonly mesh: Household; readonly reach: Reach; readonly add: (more?: Partial<Wanted>) => ReturnType<typeof addHost> }> {
  const [account, mesh] = await Promise.all([openAccount(force, elsewhere), before ?? household({ laptop: "member" })]);
  if (before === undefined) {
    await setUpApplication(mesh.desktop.client, "ssh");
    await sync(deviceOf(mesh, "laptop").client);
  }
  const reach = reachOf(account);
  return { account, mesh, reach, add: (more = {}) => addHost(mesh.desktop.client, reach, { typed: readTarget(`${account.sshd.user}@127.0.0.1:${account.port}`), ...more }) };
}

/** The fingerprints of the keys in our block on the account. */
const keysOn = (account: Account) => readBlock(account.read(), block).keys ?? [];
const due = async ({ client }: TestDevice) => (await dueKeys(client)).fingerprints;

suite("plain servers: a block in authorized_keys of a real sshd, kept in step by whichever device reaches it (decision 9.2)", () => {
  let { account, add, mesh, reach } = {} as Awaited<ReturnType<typeof scene>>;
  before(async () => ({ account, add, mesh, reach } = await scene()));
  after(() => account.close());
  const laptop = () => deviceOf(mesh, "laptop");

  test("added once, it lets every device in; done again, nothing changes; not an octet of other lines does", async () => {
    const strange = `# caf\xe9 in Latin-1\r\n\n${account.own}`;
    account.write(strange);
    chmodSync(account.file, 0o640);
    const state = await add({ name: "server1" });
    assert.deepEqual([state.state, state.missing, state.others.length], ["brought-in-step", await due(mesh.desktop), 1]);
    const text = account.read();
    assert.ok(text.startsWith(`${strange}\n# BEGIN mesh ${block}\n# as of 1.`), text);
    assert.deepEqual(keysOn(account), await due(mesh.desktop));
    assert.equal(statSync(account.file).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(join(account.home, ".ssh")), ["authorized_keys"]);
    const again = await add();
    assert.deepEqual([again.state, again.name], ["in-step", "server1"]);
    assert.equal(account.read(), text);
    assert.equal((await add({ typed: readTarget("server1") })).state, "in-step");
    assert.equal((await readHosts(mesh.desktop.client)).length, 1);
    assert.deepEqual(readdirSync(filesIn(reach.home).folder), [], "nothing of a connection stays here");
  });

  test("the host key that was met is remembered, on the other devices too", async () => {
    await sync(mesh.desktop.client);
    await sync(laptop().client);
    const { applied, hostKeys } = findHost(await readHosts(laptop().client), "server1");
    assert.deepEqual(hostKeys.map(({ blob }) => fingerprintOf(blob)), [fingerprintOf(readKeyLine(account.sshd.hostKey).blob)]);
    assert.deepEqual(applied?.keys, await due(laptop()));
  });

  test("ssh knows it by its name and offers the device's own key alone; without the agent it does what it did before", async () => {
    await writeFiles(mesh.desktop.client, reach, await readHosts(mesh.desktop.client));
    const key = await ownKeyOf(mesh.desktop.client, "ssh");
    mkdirSync(join(reach.home, "agent"));
    const others = [generateEd25519(), generateEd25519()].map(({ publicKey }) => ({ blob: ed25519Blob(publicKey), comment: "another" }));
    const agent = await serveAgent(agentSocket(reach) ?? "", key, [...others, { blob: ed25519Blob(key.publicKey), comment: "desktop" }]);
    try {
      assert.deepEqual(await login(reach, "server1"), { said: "in\n", accepted: [fingerprintOf(ed25519Blob(key.publicKey))] });
      assert.equal(agent.asked.length, 1);
      // The block alone lets it in: this is how a device reaches a server where its person has no other access.
      account.write(account.read().replace(account.own, ""));
      await add();
      assert.equal((await bringInStep(mesh.desktop.client, reach, await readHosts(mesh.desktop.client), "look"))[0]?.state, "in-step");
    } finally {
      await agent.close();
      account.write(`${account.own}\n${account.read()}`);
    }
    assert.equal((await login(reach, "server1")).said, "");
  });

  test("a device that joins is let in, and one that is disabled is not any more, by whichever device is in sync first", async () => {
    const phone = await joinDevice(mesh, "phone");
    await sync(laptop().client);
    assert.deepEqual((await catchUp(laptop().client, reachOf(account))).map(({ name, state }) => [name, state]), [["server1", "brought-in-step"]]);
    assert.equal(keysOn(account).length, 3);
    await sync(laptop().client);
    await sync(mesh.desktop.client);
    assert.deepEqual(await catchUp(mesh.desktop.client, reach), [], "what another device did is not done again");
    await sync(phone.client);
    const receipt = await cutOffFromServers(mesh.desktop.client, reach, "phone", await disableDevice(mesh.desktop.client, "phone"));
    assert.ok(receipt.done.includes("server1 does not let phone in any more"), JSON.stringify(receipt));
    assert.deepEqual(keysOn(account), await due(mesh.desktop));
    assert.equal(keysOn(account).length, 2);
  });

  test("a device that does not know of that yet cannot let it in again", async () => {
    const before = account.read();
    const [state] = await bringInStep(laptop().client, reachOf(account), await readHosts(laptop().client), "write");
    assert.equal(state?.trouble?.code, "ssh-host-ahead");
    assert.equal(account.read(), before);
  });

  test("a server that cannot be reached stays owed and is brought in step later; what is told of it says so", async () => {
    await joinDevice(mesh, "tablet");
    await sync(mesh.desktop.client);
    await account.cut();
    const receipt = await cutOffFromServers(mesh.desktop.client, reach, "tablet", await disableDevice(mesh.desktop.client, "tablet"));
    assert.match(receipt.pending.join("\n"), /server1 still lets tablet in until one of your devices reaches it/);
    // As it stood before this device knew of the tablet.
    await account.mend();
    await joinDevice(mesh, "watch");
    await sync(mesh.desktop.client);
    assert.deepEqual(await catchUp(mesh.desktop.client, reach), [], "one that was off a moment ago does not hold up each sync");
    mesh.portal.clock.now += 11 * 60_000;
    assert.deepEqual((await catchUp(mesh.desktop.client, reach)).map((one) => one.state), ["brought-in-step"]);
    assert.deepEqual(keysOn(account), await due(mesh.desktop));
  });

  test("lines outside the block that let somebody in are told, the new ones as new, and left alone", async () => {
    const thief = `command="echo \\"a b\\"" ${account.own.replace("own", "thief").replace(/.{4} thief/, "AAAA thief")}`;
    account.write(`${account.read()}${thief}\n`);
    const look = async () => (await bringInStep(mesh.desktop.client, reach, await readHosts(mesh.desktop.client), "look"))[0];
    const first = await look();
    assert.deepEqual([first?.state, first?.others.length, first?.newOthers.length], ["in-step", 2, 1]);
    assert.equal((await look())?.newOthers.length, 0);
    assert.ok(account.read().includes(thief));
  });

  test("another host key than the known one is refused before anything is sent, until its fingerprint is said", async () => {
    const before = account.read();
    const other = { kind: ED25519, blob: ed25519Blob(generateEd25519().publicKey) };
    await editEntries(mesh.desktop.client, "ssh", (entries) => entries.flatMap((entry) => pinHost(entry, [other]) ?? []));
    await assert.rejects(add(), { code: "ssh-host-key-changed", exit: 6 });
    await assert.rejects(add({ hostKey: fingerprintOf(other.blob) }), { code: "ssh-host-key-changed" });
    assert.equal(account.read(), before);
    const real = readKeyLine(account.sshd.hostKey).blob;
    assert.equal((await add({ hostKey: fingerprintOf(real) })).state, "in-step");
    assert.deepEqual((await readHosts(mesh.desktop.client))[0]?.hostKeys.map((key) => key.blob), [real]);
  });

  test("a block that was taken apart is left as it is", async () => {
    const before = account.read();
    account.write(before.replace(`# END mesh ${block}\n`, ""));
    await assert.rejects(add(), { code: "ssh-block-damaged" });
    assert.equal(account.read(), before.replace(`# END mesh ${block}\n`, ""));
    account.write(before);
  });

  test("taken out again, the file is as if we had not been there", async () => {
    const [host] = await readHosts(mesh.desktop.client);
    assert.ok(host !== undefined);
    const before = account.read();
    assert.equal(await takeOut(mesh.desktop.client, host, reach, async () => undefined), 2);
    assert.equal(account.read(), before.replace(/# BEGIN mesh [^]*# END mesh .*\n/, ""));
    assert.equal(await takeOut(mesh.desktop.client, host, reach, async () => assert.fail("there was nothing to agree to")), 2);
  });

  test("where it is not known which of two devices is the thief's, neither is taken off from here", async () => {
    await sync(laptop().client);
    const before = account.read();
    const receipt = await cutOffFromServers(laptop().client, reachOf(account), "watch", await disableDevice(laptop().client, "watch", agreed));
    assert.match(receipt.pending.join("\n"), /1 server still lets watch in: a device that stands above both takes its key out/);
    assert.equal(account.read(), before);
  });

  test("whoever is not let in is told so, and so is whoever finds no server", async () => {
    account.write("");
    await assert.rejects(add(), { code: "ssh-host-refused", exit: 4 });
    await account.cut();
    await assert.rejects(add(), { code: "ssh-host-unreachable", exit: 7 });
    await account.mend();
  });
});

suite("accounts with strange shells", () => {
  let known: Household | undefined;

  test("a login shell that is not of POSIX's kind, and one that talks, are no hindrance", async () => {
    const { account, add, mesh } = await scene('echo "mesh- welcome"; exec fish -c "$SSH_ORIGINAL_COMMAND"');
    try {
      assert.equal((await add()).state, "brought-in-step");
      assert.equal(keysOn(account).length, 2);
      known = mesh;
    } finally {
      await account.close();
    }
  });

  test("one that runs nothing is said to, and nothing is kept of it", async () => {
    const { account, add, mesh } = await scene("echo This is a code host.", known);
    const before = (await readHosts(mesh.desktop.client)).length;
    try {
      await assert.rejects(add({ name: "code" }), { code: "ssh-host-failed" });
      assert.equal((await readHosts(mesh.desktop.client)).length, before);
    } finally {
      await account.close();
    }
  });

  test("one whose sshd looks for keys elsewhere is not said to let anybody in, until it does", async () => {
    const { account, add, mesh, reach } = await scene(undefined, known, "keys");
    const key = await ownKeyOf(mesh.desktop.client, "ssh");
    mkdirSync(join(reach.home, "agent"));
    const agent = await serveAgent(agentSocket(reach) ?? "", key, [{ blob: ed25519Blob(key.publicKey), comment: "desktop" }]);
    try {
      const { state, trouble } = await add({ name: "nas" });
      assert.deepEqual([state, trouble?.code], ["failed", "ssh-host-ignores"]);
      const look = async () => (await bringInStep(mesh.desktop.client, reach, [findHost(await readHosts(mesh.desktop.client), "nas")], "look"))[0];
      assert.equal((await look())?.trouble?.code, "ssh-host-ignores");
      copyFileSync(account.file, join(account.home, "keys"));
      assert.deepEqual([(await look())?.state, (await add({ name: "nas" })).state], ["in-step", "in-step"]);
    } finally {
      await agent.close();
      await account.close();
    }
  });
});

/** Logs in by what `mesh ssh config` wrote alone; says what came back, and the fingerprints that the server took. */
async function login({ environment, home }: Reach, name: string) {
  const child = spawn("/usr/bin/ssh", ["-v", "-F", filesIn(home).config, "-o", "BatchMode=yes", name, "echo in"], { env: { ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err] = [child.stdout, child.stderr].map((stream) => {
    const said = { text: "" };
    stream.on("data", (text) => (said.text += String(text)));
    return said;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return { said: out?.text ?? "", accepted: [...(err?.text ?? "").matchAll(/Server accepts key: .* (SHA256:\S+)/g)].map((one) => one[1]) };
}
