import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { expectStatus, openPlace, type Place, type Ran } from "../support/processes.ts";

suite("what is kept serves other programs", () => {
  let place: Place;
  const sh = (line: string, environment: Readonly<Record<string, string>> = {}): Promise<Ran> => place.shell("desktop", line, environment);

  before(async () => {
    place = openPlace();
    const portal = await place.portal();
    expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", portal.url, "--no-passphrase"]), 0);
    const secret = place.file("secret", "geheim $1\n");
    expectStatus(await place.mesh("desktop", ["password", "add", "git/hub", "--username", "alice", "--site", "git.example", "--password-file", secret]), 0);
  });
  after(() => place.close());

  test("mesh read writes what a reference means", async () => {
    assert.equal((await sh("mesh read mesh://password/git%2Fhub")).stdout, "geheim $1\n");
    assert.equal((await sh("mesh read mesh://password/git%2Fhub/username")).stdout, "alice\n");
    assert.equal((await sh("mesh read git/hub")).status, 2);
    assert.equal((await sh("mesh read mesh://password/none")).status, 3);
  });

  test("mesh run gives a program what references in its environment mean, and it alone; its status is the program's", async () => {
    const ran = await sh(`mesh run -- sh -c 'printf %s "$TOKEN/$USER_NAME/$PLAIN"; exit 7'`, { TOKEN: "mesh://password/git%2Fhub", USER_NAME: "mesh://password/git%2Fhub/username", PLAIN: "x" });
    assert.deepEqual([ran.stdout, ran.status], ["geheim $1/alice/x", 7]);
    const lacking = await sh("mesh run --variables-file variables -- echo ran");
    assert.deepEqual([lacking.status, lacking.stdout], [2, ""], "a file of variables that is not there");
    place.file("variables", "# mine\nexport TOKEN='mesh://password/git%2Fhub'\n");
    const filed = await sh("mesh run --variables-file variables -- sh -c 'echo $TOKEN; cat /proc/$PPID/cmdline'");
    assert.equal(filed.stdout.split("\n")[0], "geheim $1");
    assert.ok(!filed.stdout.split("\n").slice(1).join("").includes("geheim"), "no secret stands among the arguments of a process");
  });

  test("mesh run tells a signal from a status, and what cannot be run from what failed", async () => {
    assert.equal((await sh("mesh run -- sh -c 'kill -TERM $$'")).status, 143);
    const none = await sh("mesh run -- no-such-program");
    assert.deepEqual([none.status, /no-such-program/.test(none.stderr)], [1, true]);
    const missing = await sh("mesh run -- sh -c 'echo ran'", { TOKEN: "mesh://password/none" });
    assert.deepEqual([missing.status, missing.stdout], [3, ""], "a program is not run with a reference that means nothing");
  });

  test("a real git asks for a login, and learns one", async () => {
    const git = "git -c credential.helper= -c credential.helper='!mesh git-credential'";
    const filled = await sh(`printf 'protocol=https\nhost=git.example\n\n' | GIT_TERMINAL_PROMPT=0 ${git} credential fill`);
    assert.match(filled.stdout, /username=alice\npassword=geheim \$1/);
    await sh(`printf 'protocol=https\nhost=forge.example\nusername=bob\npassword=neu\n\n' | ${git} credential approve`);
    assert.equal((await sh("mesh read mesh://password/forge.example")).stdout, "neu\n");
    await sh(`printf 'protocol=https\nhost=forge.example\nusername=bob\npassword=neu\n\n' | ${git} credential reject`);
    assert.equal((await sh("mesh read mesh://password/forge.example/username")).stdout, "bob\n");
    const wrong = await sh(`printf 'protocol=http\nhost=git.example\n\n' | GIT_TERMINAL_PROMPT=0 ${git} credential fill`);
    assert.ok(!wrong.stdout.includes("geheim"));
  });
});
