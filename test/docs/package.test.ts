import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { filesBelow, read, root } from "../tree.ts";

type Package = {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const manifest = JSON.parse(read("package.json")) as Package;

suite("package.json", () => {
  for (const [door, file] of Object.entries(manifest.exports)) {
    test(`the door ${door} opens`, async () => {
      assert.equal(file, `./src/${door.slice(2)}/index.ts`, "a door is a room's index.ts");
      assert.ok(Object.keys((await import(join(root, file))) as object).length > 0);
    });
  }

  test("every runtime dependency has a record that says why, and is pinned", () => {
    const records = filesBelow("docs/decisions", ".md").map(read).join("\n");
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      assert.ok(records.includes(`\`${name}\``), `no record in docs/decisions speaks of \`${name}\``);
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
    }
    for (const [name, version] of Object.entries(manifest.devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  });

  test("records are numbered, each number once, and say what was decided and why", () => {
    const records = filesBelow("docs/decisions", ".md");
    const numbers = records.map((path) => /^docs\/decisions\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1] ?? path);
    assert.deepEqual(numbers.filter((number, at) => !/^\d{4}$/.test(number) || numbers.indexOf(number) !== at), []);
    for (const path of records) assert.match(read(path), /^# \d{4} [\s\S]*\*\*Decision\.\*\*[\s\S]*\*\*Why\.\*\*/, path);
  });

  test("the changelog knows this version", () => assert.ok(read("CHANGELOG.md").includes(`## ${manifest.version}`)));

  test("the documents that a stranger looks for are there", () => {
    const wanted = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/principles.md", "docs/glossary.md", "docs/map.md", "docs/errors.md", "docs/deviations.md", "docs/threat-model.md", "docs/performance.md"];
    assert.deepEqual(wanted.filter((path) => !existsSync(join(root, path))), []);
  });
});
