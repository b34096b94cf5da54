import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { comparable } from "../../src/applications/passwords/formats/test-comparable.ts";
import { vectorPassword } from "../../src/applications/passwords/formats/test-files.ts";
import { expectStatus, openPlace } from "../support/processes.ts";
import { root } from "../tree.ts";

const vectors = join(root, "vectors/passwords");

type Imported = { readonly imported: number; readonly already: number; readonly failed: readonly unknown[]; readonly sync: string };

test("what one device imports, another exports, field for field; both then hold the same, history and all", { timeout: 240_000 }, async () => {
  const place = openPlace();
  try {
    const portal = await place.portal();
    const on = ["--portal", portal.url, "--no-passphrase"];
    expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--device-name", "desktop", ...on]), 0);
    const pin = place.file("pin", `${(await place.json<{ pin: string }>("desktop", ["device", "pin"])).pin}\n`);
    expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--device-name", "laptop", "--pin-file", pin, ...on]), 5);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--pin-file", pin]), 0);

    const bitwarden = join(vectors, "bitwarden/valid/everything.json");
    const first = await place.json<Imported>("desktop", ["password", "import", bitwarden]);
    assert.deepEqual([first.imported, first.failed, first.sync], [7, [], "sent"]);
    expectStatus(await place.mesh("laptop", ["sync"]), 0);
    const exported = join(place.folder, "exported.json");
    expectStatus(await place.mesh("laptop", ["password", "export", exported, "--format", "bitwarden"]), 0);
    assert.equal(statSync(exported).mode & 0o777, 0o600);
    assert.deepEqual(comparable("bitwarden", readFileSync(exported, "utf8")), comparable("bitwarden", readFileSync(bitwarden, "utf8")));
    assert.equal((await place.json<Imported>("laptop", ["password", "import", exported])).already, 7);

    const password = place.file("password", `${vectorPassword}\n`);
    const kdbx = join(vectors, "kdbx/valid/keepassxc-2.7.4.kdbx");
    assert.equal((await place.mesh("laptop", ["password", "import", kdbx, "--file-password-file", place.file("wrong", "no\n")])).status, 4);
    assert.equal((await place.json<Imported>("laptop", ["password", "import", kdbx, "--file-password-file", password])).imported, 4);
    expectStatus(await place.mesh("laptop", ["password", "edit", "Deploy key", "--tag", "servers"]), 0);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    const all = await Promise.all(["desktop", "laptop"].map(async (device) => {
      const file = join(place.folder, `${device}.mesh.json`);
      expectStatus(await place.mesh(device, ["password", "export", file]), 0);
      return readFileSync(file, "utf8");
    }));
    assert.equal(all[0], all[1]);
    assert.match(all[0] ?? "", /"tag:0001:[^"]+":\["servers"\]/);
  } finally {
    await place.close();
  }
});
