import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { openPlace, type Running } from "../support/processes.ts";

// Real git, and OpenSSH's own ssh-keygen that it calls, on two devices of one person.
test("git signs on one device by its own key, and each device knows the signature, of a device that was disabled those from before", { timeout: 120_000 }, async () => {
  const place = openPlace();
  const agents: Running[] = [];
  const environment = (device: string) => ({ MESH_NO_INPUT: "1", GIT_CONFIG_GLOBAL: join(place.folder, `${device}.gitconfig`), GIT_CONFIG_SYSTEM: "/dev/null" });
  const shell = async (device: string, line: string, status = 0) => {
    const ran = await place.shell(device, line, environment(device));
    assert.equal(ran.status, status, `${device}$ ${line}\n${ran.stdout}${ran.stderr}`);
    return ran.stdout + ran.stderr;
  };
  const agent = async (device: string) => {
    agents.push(place.start(device, ["agent"], environment(device)));
    await shell(device, `for n in $(seq 100); do SSH_AUTH_SOCK='${device}/agent/ssh.sock' ssh-add -L && exit 0; sleep 0.1; done; exit 1`);
  };
  try {
    const portal = await place.portal();
    place.file("desktop.gitconfig", "[user]\n\tname = Alice\n\temail = alice@work.example\n\tsigningkey = 0xABCD\n");
    place.file("laptop.gitconfig", "[user]\n\tname = Alice\n\temail = alice@work.example\n");
    await shell("desktop", `mesh create alice@example.com --portal ${portal.url} --device-name desktop --no-passphrase && mesh ssh setup`);
    await shell("desktop", "mesh device pin --json | sed -n 's/.*\"pin\": \"\\(.*\\)\".*/\\1/p' > pin; test -s pin");
    const joining = `mesh join alice@example.com --portal ${portal.url} --device-name laptop --no-passphrase --pin-file pin`;
    await shell("laptop", joining, 5);
    await shell("desktop", "mesh sync");
    await shell("laptop", joining);

    const before = readFileSync(`${place.folder}/desktop.gitconfig`, "utf8");
    assert.match(await shell("desktop", "mesh ssh git-signing --dry-run"), /user\.signingkey = .*instead of 0xABCD[\s\S]*namespaces="git" ssh-ed25519 .* laptop/);
    assert.match(await shell("desktop", "mesh ssh git-signing", 2), /0xABCD[\s\S]*--yes/);
    assert.equal(readFileSync(`${place.folder}/desktop.gitconfig`, "utf8"), before);
    await Promise.all([agent("desktop"), agent("laptop")]);
    await shell("desktop", "mesh ssh git-signing --yes && mesh ssh git-signing 2>&1 | grep already");
    await shell("laptop", "mesh ssh git-signing");

    await shell("laptop", "git init -q work && cd work && git commit -q --allow-empty -m first && git tag -s v1 -m v1");
    assert.match(await shell("desktop", "git clone -q work copy && cd copy && git log --show-signature -1 && git verify-commit HEAD && git verify-tag v1"), /Good "git" signature for alice@example\.com with ED25519 key/);

    await shell("desktop", "mesh device disable laptop && mesh sync");
    assert.match(await shell("desktop", "grep laptop desktop/ssh/allowed_signers"), /valid-before="\d{14}" /);
    // Its agent goes on, as a thief's would; what it signs now, and says so, counts no more.
    await shell("laptop", "cd work && GIT_COMMITTER_DATE=$(($(date +%s) + 60)) git commit -q --allow-empty -m second");
    await shell("desktop", "cd copy && git pull -q && git verify-commit HEAD~1");
    assert.match(await shell("desktop", "cd copy && git verify-commit HEAD", 1), /key has expired[\s\S]*No principal matched/);

    await shell("desktop", "git config --global tag.gpgsign false");
    assert.match(await shell("desktop", "mesh ssh git-signing --undo"), /left: tag\.gpgsign/);
    await shell("desktop", "git config --global --unset tag.gpgsign; git config --global --list");
    assert.equal(await shell("desktop", "git config --global user.signingkey; git config --global gpg.format; true"), "0xABCD\n");
    assert.equal(existsSync(`${place.home("desktop")}/ssh/git-sign`), false);
  } finally {
    for (const one of agents) one.kill("SIGTERM");
    await Promise.all(agents.map((one) => one.ended));
    await place.close();
  }
});
