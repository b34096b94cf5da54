import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { passwordsOf } from "../password.ts";
import { type FormatName, formats } from "./formats.ts";
import { formatOf } from "./read.ts";
import { comparable } from "./test-comparable.ts";
import { applied, codeOf, planOf, vector, vectorsOf, written } from "./test-files.ts";
import type { WrittenFormat } from "./write.ts";

const codes: Readonly<Record<string, string>> = {
  "bitwarden/account-restricted.json": "import-unsupported",
  "bitwarden/protected-costly.json": "password-key-parameters",
  "bitwarden/protected-many-iterations.json": "password-key-parameters",
  "bitwarden/protected-unknown-kdf.json": "import-unsupported",
  "chrome-csv/empty.csv": "import-unknown-format",
  "keepassxc-xml/too-deep.xml": "import-damaged",
  "kdbx/costly-memory.kdbx": "password-key-parameters",
  "kdbx/costly-rounds.kdbx": "password-key-parameters",
  "kdbx/version-3.kdbx": "import-unsupported",
  "kdbx/twofish.kdbx": "import-unsupported",
  "kdbx/salsa20.kdbx": "import-unsupported",
};

/** What a file that is packed or encrypted holds, as a file of the format that it is written in again. */
const opened: Readonly<Record<string, readonly [FormatName, string]>> = {
  "bitwarden/protected-pbkdf2.json": ["bitwarden", "everything.json"],
  "bitwarden/protected-argon2id.json": ["bitwarden", "everything.json"],
  "kdbx/aes-argon2id.kdbx": ["keepassxc-xml", "everything.xml"],
  "kdbx/chacha20-argon2d.kdbx": ["keepassxc-xml", "everything.xml"],
  "kdbx/chacha20-aes-kdf-not-compressed.kdbx": ["keepassxc-xml", "everything.xml"],
  "kdbx/keepassxc-2.7.4.kdbx": ["keepassxc-xml", "keepassxc-2.7.4.xml"],
};

for (const { name: format, writes } of formats) {
  suite(format, () => {
    for (const { name, octets } of vectorsOf(format, "valid")) {
      if (name.startsWith("with-files")) continue;
      test(`${name}: its format is told, and nothing fails`, async () => {
        assert.equal(formatOf(octets), format);
        const plan = await planOf(octets);
        assert.deepEqual(plan.failed, []);
        const entries = applied(plan);
        const names = passwordsOf(entries).map((one) => one.name);
        assert.equal(new Set(names).size, plan.imported);
        assert(names.every((one) => one !== ""));
      });
      test(`${name}: a second import brings nothing`, async () => {
        const first = await planOf(octets);
        const again = await planOf(octets, applied(first));
        assert.deepEqual({ changes: again.changes.length, imported: again.imported, already: again.already }, { changes: 0, imported: 0, already: first.imported });
      });
      const [as, plain] = opened[`${format}/${name}`] ?? [format, name];
      if ((writes || as !== format) && !name.startsWith("older")) {
        test(`${name}: every field comes back equal`, async () => {
          const text = await written(applied(await planOf(octets)), as as WrittenFormat);
          assert.deepEqual(comparable(as, text), comparable(as, new TextDecoder().decode(vector(as, "valid", plain))));
        });
      }
    }
    for (const { name, octets } of vectorsOf(format, "invalid")) {
      test(`invalid/${name} is refused`, async () => {
        assert.equal(await codeOf(() => planOf(octets)), codes[`${format}/${name}`] ?? "import-damaged");
      });
    }
  });
}

test("a wrong password opens no database and no protected export", async () => {
  for (const [format, name] of [["kdbx", "aes-argon2id.kdbx"], ["kdbx", "keepassxc-2.7.4.kdbx"], ["bitwarden", "protected-pbkdf2.json"], ["bitwarden", "protected-argon2id.json"]] as const) {
    assert.equal(await codeOf(() => planOf(vector(format, "valid", name), [], { password: "wrong" })), "import-wrong-password", name);
  }
});

test("files within items are named beside the plan, to be attached to what it makes", async () => {
  for (const [format, name] of [["keepassxc-xml", "with-files.xml"], ["kdbx", "with-files.kdbx"], ["1pux", "with-files.1pux"]] as const) {
    const plan = await planOf(vector(format, "valid", name));
    assert.deepEqual([plan.imported, plan.failed, plan.files.map(({ title, file }) => [title, file.octets.length])], [1, [], [["Passport: scan.txt", 6], ["Passport: photo.bin", 6]]]);
  }
});
