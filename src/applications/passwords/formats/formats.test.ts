import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { passwordsOf } from "../password.ts";
import { type FormatName, formats } from "./formats.ts";
import { formatOf } from "./read.ts";
import { applied, codeOf, planOf, vector, vectorsOf, written } from "./test-files.ts";
import type { WrittenFormat } from "./write.ts";

/** A file as it can be compared: in no order, and without what says nothing. */
function comparable(format: FormatName, text: string): unknown {
  if (format === "bitwarden") {
    const file = bare(JSON.parse(text)) as Record<string, unknown[]>;
    return { ...file, items: sorted(file["items"] ?? []), folders: sorted(file["folders"] ?? []) };
  }
  return sorted(text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n").split("\n"));
}

function sorted(list: readonly unknown[]): readonly unknown[] {
  return list.map((one) => JSON.stringify(one)).sort();
}

/** Bitwarden says null and [] where there is nothing, or does not say it at all, from version to version. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0)).map(([name, one]) => [name, bare(one)]).sort());
}

const codes: Readonly<Record<string, string>> = {
  "bitwarden/account-restricted.json": "import-unsupported",
  "bitwarden/protected-costly.json": "password-key-parameters",
  "bitwarden/protected-many-iterations.json": "password-key-parameters",
  "bitwarden/protected-unknown-kdf.json": "import-unsupported",
  "chrome-csv/empty.csv": "import-unknown-format",
};

/** What a file that is packed or encrypted holds, as a file of the format that it is written in again. */
const opened: Readonly<Record<string, readonly [FormatName, string]>> = {
  "bitwarden/protected-pbkdf2.json": ["bitwarden", "everything.json"],
  "bitwarden/protected-argon2id.json": ["bitwarden", "everything.json"],
};

for (const { name: format, writes } of formats) {
  suite(format, () => {
    for (const { name, octets } of vectorsOf(format, "valid")) {
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
      if (writes && !name.startsWith("older")) {
        test(`${name}: every field comes back equal`, async () => {
          const text = await written(applied(await planOf(octets)), format as WrittenFormat);
          const [, plain] = opened[`${format}/${name}`] ?? [];
          const before = plain === undefined ? octets : vector(format, "valid", plain);
          assert.deepEqual(comparable(format, text), comparable(format, new TextDecoder().decode(before)));
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
