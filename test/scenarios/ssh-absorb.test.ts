import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { openPlace } from "../support/processes.ts";
import { run, startSshd } from "../support/sshd.ts";

type Absorbed = { readonly sections: readonly { readonly name: string }[]; readonly known: readonly { readonly host: string; readonly fingerprint: string }[]; readonly conflicts: readonly unknown[]; readonly left: readonly { readonly what: string }[] };

// Alice's own ~/.ssh on two devices (docs/spec/ssh.md 9): what one knows all know, what differs is told loudly, and her files stay as they are.
test("hosts and host keys that one device knows are known to all, with consent, and can be taken back", { timeout: 120_000 }, async () => {
  const place = openPlace();
  const environment = { MESH_NO_INPUT: "1" };
  const servers = await Promise.all([1, 2].map(() => startSshd(["PidFile %D/pid", "AuthorizedKeysFile %D/authorized_keys"])));
  const [first, second] = servers as [typeof servers[0] & {}, typeof servers[0] & {}];
  const mesh = async (device: string, line: string, status = 0) => {
    const ran = await place.mesh(device, line.split(" "), environment);
    assert.equal(ran.status, status, `${device}$ mesh ${line}\n${ran.stdout}${ran.stderr}`);
    return ran;
  };
  const json = async <T>(device: string, line: string, status = 0) => JSON.parse((await mesh(device, `${line} --json`, status)).stdout) as T;
  /** Logs in as a person at a device would, by her own configuration there. */
  const ssh = async (device: string, line: string) => place.shell(device, `/usr/bin/ssh -F ${device}.ssh/config -o BatchMode=yes ${line} 'echo in'`);
  try {
    run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "own", "-f", join(place.folder, "own")]);
    for (const one of servers) writeFileSync(join(one.folder, "authorized_keys"), readFileSync(join(place.folder, "own.pub")));
    const files = (device: string, name: string) => join(place.folder, `${device}.ssh`, name);
    const hers = (device: string) => `# hers\nHost *\n  IdentityFile ${place.folder}/own\n  IdentitiesOnly yes\n  UserKnownHostsFile ${files(device, "known_hosts")}\n  HashKnownHosts yes\n`;
    for (const device of ["desktop", "laptop"]) mkdirSync(join(place.folder, `${device}.ssh`));
    const [desktopConfig, desktopKnown] = [`Host work\n  HostName 127.0.0.1\n  Port ${first.port}\n  User ${first.user}\nHost *.inner\n  Compression yes\nHost far\n  ProxyCommand nc %h %p\n${hers("desktop")}`, `[127.0.0.1]:${first.port} ${first.hostKey}\n@cert-authority * ${first.hostKey}\n`];
    place.file("desktop.ssh/config", desktopConfig);
    place.file("desktop.ssh/known_hosts", desktopKnown);
    place.file("laptop.ssh/config", hers("laptop"));

    const portal = await place.portal();
    await mesh("desktop", `create alice@example.com --portal ${portal.url} --device-name desktop --no-passphrase`);
    await mesh("desktop", "ssh setup");
    const { pin } = await json<{ pin: string }>("desktop", "device pin");
    const joining = `join alice@example.com --portal ${portal.url} --device-name laptop --no-passphrase --pin-file ${place.file("pin", `${pin}\n`)}`;
    await mesh("laptop", joining, 5);
    await mesh("desktop", "sync");
    await mesh("laptop", joining);

    const from = `--from ${place.folder}/desktop.ssh`;
    await mesh("desktop", `ssh absorb ${from}`, 2);
    const shown = await json<Absorbed>("desktop", `ssh absorb ${from} --dry-run`);
    assert.deepEqual([shown.sections.map((one) => one.name), shown.known.map((one) => one.host), shown.left.map((one) => one.what)], [["work"], [`[127.0.0.1]:${first.port}`], ["Host *.inner", "Host far", "Host *", "1 line of known_hosts"]]);
    assert.deepEqual(await json("desktop", "ssh known list"), [], "neither to be asked nor to look changes anything");
    await mesh("desktop", `ssh absorb ${from} --yes`);
    assert.deepEqual([readFileSync(files("desktop", "config"), "utf8"), readFileSync(files("desktop", "known_hosts"), "utf8")], [desktopConfig, desktopKnown]);

    await mesh("laptop", "sync");
    await mesh("laptop", `ssh config --file ${files("laptop", "config")}`);
    assert.equal((await ssh("laptop", "work")).stdout, "in\n", "by the name and the host key that the desktop knew");

    // From now on what the laptop confirms the desktop knows, too.
    await mesh("laptop", `ssh absorb --from ${place.folder}/laptop.ssh --yes`);
    const other = `-p ${second.port} ${second.user}@127.0.0.1`;
    await mesh("desktop", `ssh config --file ${files("desktop", "config")}`);
    assert.match((await ssh("desktop", other)).stderr, /Host key verification failed/);
    assert.equal((await ssh("laptop", `-o StrictHostKeyChecking=accept-new ${other}`)).stdout, "in\n");
    await mesh("laptop", "sync");
    await mesh("desktop", "sync");
    assert.equal((await ssh("desktop", other)).stdout, "in\n");

    // Its host key changes: ssh refuses, and nothing that one device believes is believed by the others.
    for (const name of ["host", "host.pub"]) rmSync(join(second.folder, name));
    run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(second.folder, "host")]);
    process.kill(Number(readFileSync(join(second.folder, "pid"), "utf8")), "SIGHUP");
    const changed = async () => (await ssh("desktop", other)).stderr;
    for (let tries = 0; !/Connection refused/.test(await changed()) && !/CHANGED/.test(await changed()) && tries < 50; tries++) await wait(50);
    await wait(200);
    assert.match(await changed(), /REMOTE HOST IDENTIFICATION HAS CHANGED/);
    writeFileSync(files("laptop", "known_hosts"), `[127.0.0.1]:${second.port} ${readFileSync(join(second.folder, "host.pub"), "utf8")}`);
    assert.match((await mesh("laptop", "sync")).stderr, /ANOTHER HOST KEY THAN YOUR LIST/);
    assert.match((await mesh("laptop", `ssh absorb --from ${place.folder}/laptop.ssh --yes`, 6)).stderr, /ANOTHER HOST KEY THAN YOUR LIST/);
    await mesh("desktop", "sync");
    assert.match(await changed(), /REMOTE HOST IDENTIFICATION HAS CHANGED/, "what the laptop believes is not on the list");
    await mesh("laptop", `ssh known forget [127.0.0.1]:${second.port}`);
    await mesh("laptop", "sync");
    await mesh("desktop", "sync");
    assert.equal((await ssh("desktop", other)).stdout, "in\n", "once a person took the old one off");

    // Her own file goes first where she has something of the same name.
    appendFileSync(files("laptop", "config"), "Host work\n  HostName mine.example\n");
    await mesh("laptop", "sync");
    assert.match(run("/usr/bin/ssh", ["-F", files("laptop", "config"), "-G", "work"]), /^hostname mine\.example$/m);

    await mesh("desktop", "ssh absorb --undo");
    await mesh("desktop", `ssh config --file ${files("desktop", "config")} --undo`);
    assert.deepEqual([readFileSync(files("desktop", "config"), "utf8"), readFileSync(files("desktop", "known_hosts"), "utf8")], [desktopConfig, desktopKnown]);
    await mesh("laptop", "sync");
    assert.deepEqual((await json<{ host: string }[]>("laptop", "ssh known list")).map((one) => one.host), [`[127.0.0.1]:${second.port}`], "what the laptop took over is the laptop's to take back");
  } finally {
    await Promise.all(servers.map((one) => one.close()));
    await place.close();
  }
});
