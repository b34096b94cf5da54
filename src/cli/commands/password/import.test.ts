import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { makeTestHome, type TestHome } from "../../test-home.ts";

const vectors = join(import.meta.dirname, "../../../../vectors/passwords");
const bitwarden = join(vectors, "bitwarden/valid/everything.json");
let home: TestHome;
before(async () => void (home = await makeTestHome()));
after(() => home.remove());

async function json<T>(line: readonly string[], how: Parameters<TestHome["run"]>[1] = {}): Promise<T> {
  const { status, out, err } = await home.run([...line, "--json"], how);
  assert.deepEqual([status, err], [0, ""]);
  return JSON.parse(out) as T;
}

async function refused(line: readonly string[], how: Parameters<TestHome["run"]>[1] = {}): Promise<string> {
  const { status, out, err } = await home.run([...line, "--json"], how);
  assert.equal(out, "");
  return `${(JSON.parse(err) as { code: string }).code} ${status}`;
}

const path = (name: string): string => join(home.path, name);
const count = async (): Promise<number> => (await json<unknown[]>(["password", "list"])).length;

test("import says what it found and did, once; --dry-run only says it", async () => {
  const expected = { imported: 7, kept: 3, already: 0, renamed: 1, failed: [], format: "bitwarden" };
  assert.deepEqual(await json(["password", "import", bitwarden, "--dry-run"]), { ...expected, dryRun: true });
  assert.equal(await count(), 0);
  const { out, err, status } = await home.run(["password", "import", bitwarden]);
  assert.deepEqual([status, out], [0, ""]);
  assert.match(err, /is a Bitwarden export \(JSON\) with 7 items\.\nImported 7 items\.\n1 item got another name.*\n3 items have parts .* kept.*\n(?:.*\n)*.*still holds all that was in it/);
  assert.deepEqual(await json(["password", "import", bitwarden]), { ...expected, imported: 0, kept: 0, already: 7, renamed: 0, sync: "later" });
});

test("what was imported is found, and shown for what it is", async () => {
  const listed = await json<{ name: string; kind: string; folder: string | null }[]>(["password", "list"]);
  assert.deepEqual(listed.map(({ name, kind }) => `${kind} ${name}`).sort(), ["card Company card", "identity Me", "login A kind of next year", "login Überbank", "login Überbank (bob)", "note Alarm code", "ssh-key Deploy key"]);
  assert.match((await home.run(["password", "list"])).out, /^NAME +KIND +USER NAME +SITES +FOLDER\n/);
  const card = await home.run(["password", "get", "Company card"], { terminal: true });
  assert.match(card.out, /^Kind +card$/m);
  assert.match(card.out, /^Card number +•+$/m);
  assert.match(card.out, /^Expires, year +2029$/m);
  assert.equal((await home.run(["password", "get", "Company card"])).out, "4111111111111111\n");
  assert.equal((await home.run(["password", "get", "Alarm code"])).out, "1234 at the door\n");
  assert.equal((await home.run(["password", "get", "Me", "--field", "identity.city"], { terminal: true })).out, "Springfield\n");
  assert.equal(await refused(["password", "get", "Me", "--field", "identity.ssn"], { terminal: true }), "secret-not-shown 2");
  assert.match((await home.run(["password", "get", "Deploy key"])).out, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
  const hidden = await json<{ field: string; value: string | null; secret: boolean }[]>(["password", "history", "Überbank"]);
  assert.deepEqual(hidden.filter(({ field }) => field === "password before").map(({ value, secret }) => ({ value, secret })), [{ value: null, secret: true }, { value: null, secret: true }]);
  assert(hidden.every(({ field }) => !field.startsWith("kept.")));
});

test("export writes a file for its owner alone, says that it can be read, and replaces none that is there", async () => {
  const { status, out, err } = await home.run(["password", "export", path("all.json")]);
  assert.deepEqual([status, out], [0, ""]);
  assert.match(err, /^Wrote 7 items to .*, a file of Mesh\.\nIt is NOT encrypted/);
  assert.equal(statSync(path("all.json")).mode & 0o777, 0o600);
  const before = readFileSync(path("all.json"), "utf8");
  assert.equal(await refused(["password", "export", path("all.json")]), "export-exists 6");
  assert.equal(readFileSync(path("all.json"), "utf8"), before);
  assert.deepEqual(await json(["password", "export", path("all.json"), "--force", "--format", "chrome-csv"]), {
    file: path("all.json"), format: "chrome-csv", exported: 3, encrypted: false,
    failed: [["Alarm code", "notes"], ["Company card", "cards, identities and keys"], ["Deploy key", "cards, identities and keys"], ["Me", "cards, identities and keys"]].map(([title, what]) => ({ title, why: `A table of passwords has no place for ${what}.` })),
  });
  assert.equal(await refused(["password", "export", path("no/such/folder")]), "output-failed 1");
  assert(!existsSync(path("no")));
});

test("under a password the file opens with it alone, on an empty device equal to the first", async () => {
  writeFileSync(path("secret"), "a passphrase\n", { mode: 0o600 });
  const sealed = path("sealed.json");
  assert.match((await home.run(["password", "export", sealed, "--file-password-file", path("secret")])).err, /It opens with its password only/);
  assert(!readFileSync(sealed, "utf8").includes("Alice"));
  const other = await makeTestHome();
  try {
    writeFileSync(path("wrong"), "another\n", { mode: 0o600 });
    assert.equal((await other.run(["password", "import", sealed, "--file-password-file", path("wrong")])).status, 4);
    assert.equal((await other.run(["password", "import", sealed, "--no-input"])).status, 2);
    assert.equal((await other.run(["password", "import", sealed, "--file-password-file", path("secret")])).status, 0);
    for (const [device, file] of [[home, "a.json"], [other, "b.json"]] as const) assert.equal((await device.run(["password", "export", path(file)])).status, 0);
    assert.equal(readFileSync(path("b.json"), "utf8"), readFileSync(path("a.json"), "utf8"));
  } finally {
    other.remove();
  }
});

test("bad input has its own code and changes nothing", async () => {
  const before = await count();
  for (const [line, code] of [
    [["import", "/does/not/exist"], "input-unreadable 2"],
    [["import", "/"], "input-unreadable 2"],
    [["import", join(vectors, "bitwarden/invalid/cut-off.json")], "import-damaged 1"],
    [["import", join(vectors, "chrome-csv/invalid/quote-never-closed.csv")], "import-damaged 1"],
    [["import", bitwarden, "--format", "lastpass"], "usage-option-value 2"],
    [["import", bitwarden, "--format", "chrome-csv"], "import-damaged 1"],
    [["import", import.meta.filename], "import-unknown-format 2"],
    [["import"], "usage-missing-argument 2"],
    [["export", path("x"), "--format", "kdb"], "usage-option-value 2"],
    [["export", path("x"), "--format", "bitwarden", "--encrypt"], "usage-options-conflict 2"],
    [["export", path("x"), "--encrypt"], "input-needed 2"],
  ] as const) assert.equal(await refused(["password", ...line]), code, line.join(" "));
  assert.equal(await count(), before);
  assert(!existsSync(path("x")));
});

test("files within items come along as attachments, octet for octet, and a second import brings nothing twice", async () => {
  for (const [format, name] of [["keepassxc-xml", "with-files.xml"], ["1pux", "with-files.1pux"]] as const) {
    const other = await makeTestHome();
    const { err, status } = await other.run(["password", "import", join(vectors, format, "valid", name)]);
    assert.equal(status, 0, err);
    const listed = JSON.parse((await other.run(["password", "list", "--json"])).out) as readonly { id: string }[];
    const found: string[] = [];
    for (const { id } of listed) {
      for (const one of JSON.parse((await other.run(["password", "attachments", id, "--json"])).out) as readonly { name: string; size: number }[]) {
        const out = join(other.path, `out-${found.length}`);
        assert.equal((await other.run(["password", "save", id, one.name, "--out", out])).status, 0);
        found.push(readFileSync(out).toString("hex"));
      }
    }
    assert.ok(found.includes("68656c6c6f0a") && found.includes("000102030405"), `${name}: ${found.join(" ")}`);
    const again = JSON.parse((await other.run(["password", "import", join(vectors, format, "valid", name), "--json"])).out) as { imported: number; failed: readonly object[] };
    assert.equal(again.imported, 0);
    other.remove();
  }
});

test("attachments go out in our own file and in a KeePassXC export, and come in again octet for octet; elsewhere they are named", async () => {
  const [one, two, three] = await Promise.all([makeTestHome(), makeTestHome(), makeTestHome()]);
  const done = async (device: TestHome, line: readonly string[]): Promise<{ imported: number; already: number; failed: readonly { title: string }[] }> => {
    const { status, out, err } = await device.run(["password", ...line, "--json"]);
    assert.equal(status, 0, err);
    return JSON.parse(out) as never;
  };
  const octetsOn = async (device: TestHome): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const file of ["scan.txt", "photo.bin"]) {
      assert.equal((await device.run(["password", "save", "Passport", file, "--out", join(device.path, file)])).status, 0);
      found.push(readFileSync(join(device.path, file)).toString("hex"));
    }
    return found;
  };
  try {
    await done(one, ["import", join(vectors, "keepassxc-xml/valid/with-files.xml")]);
    const expected = await octetsOn(one);
    assert.deepEqual((await done(one, ["export", path("ours.json"), "--file-password-file", path("secret")])).failed, []);
    assert.deepEqual((await done(two, ["import", path("ours.json"), "--file-password-file", path("secret")])).failed, []);
    assert.deepEqual(await octetsOn(two), expected);
    assert.deepEqual((await done(two, ["import", path("ours.json"), "--file-password-file", path("secret")])).already, 1);
    assert.deepEqual((await done(two, ["export", path("files.xml"), "--format", "keepassxc-xml"])).failed, []);
    await done(three, ["import", path("files.xml")]);
    assert.deepEqual(await octetsOn(three), expected);
    assert.deepEqual((await done(three, ["export", path("files.bitwarden"), "--format", "bitwarden"])).failed.map(({ title }) => title), ["Passport"]);
  } finally {
    for (const device of [one, two, three]) device.remove();
  }
});
