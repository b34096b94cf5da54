import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { suite, test } from "node:test";
import { read, root, trackedFiles } from "../tree.ts";

// Put together here, so that this file does not hold what it looks for.
const forbidden: readonly (readonly [string, RegExp])[] = [
  ["the host of a package registry", new RegExp(["registry", "npmjs|registry", "yarnpkg|pypi", "org"].join("\\."))],
  ["a path of somebody's machine", new RegExp(["(?<![\\w.-])(?:/work", "(?:main|shared)\\b|/root", "\\w|/home", "(?!alice\\b)[a-z]+/)"].join("/"))],
  ["what lies outside the checkout", new RegExp(["\\.\\.", "shared/"].join("/"))],
];

suite("what is tracked", () => {
  const texts = trackedFiles().filter((path) => !/\.(?:png|jpg|ico|woff2?|der|bin|db|gz)$/.test(path) && existsSync(join(root, path)));

  for (const [what, pattern] of forbidden) {
    test(`names nowhere ${what}`, () => {
      const found = texts.flatMap((path) => {
        const match = pattern.exec(read(path));
        return match === null ? [] : [`${path}: ${match[0]}`];
      });
      assert.deepEqual(found, []);
    });
  }

  test("links of documents lead somewhere", () => {
    const broken = texts.filter((path) => path.endsWith(".md")).flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, link = ""]) => posix.join(posix.dirname(path), link))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path} -> ${target}`),
    );
    assert.deepEqual(broken, []);
  });

  test("files of a checked-out path that documents name are there", () => {
    const broken = texts.filter((path) => /^(?:README|CONTRIBUTING|SECURITY)\.md$|^docs\/[\w-]+\.md$/.test(path)).flatMap((path) =>
      [...read(path).matchAll(/`((?:src|test|scripts|bench|docs|vectors)\/[\w./-]*\w)`/g)]
        .map(([, named = ""]) => named)
        .filter((named) => !existsSync(join(root, named)))
        .map((named) => `${path}: ${named}`),
    );
    assert.deepEqual(broken, []);
  });
});
