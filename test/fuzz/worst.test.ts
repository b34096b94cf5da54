import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { Growth, MAX_GROWTH } from "./engine/bounds.ts";
import { Trial } from "./engine/trial.ts";
import { kdbxInner, zipOf } from "./dress.ts";
import { octets } from "./target.ts";
import { targets } from "./targets/all.ts";

const MIB = 1 << 20;
const times = (count: number, part: (at: number) => string): string => Array.from({ length: count }, (_, at) => part(at)).join("");
const bitwardenItem = (more: string): string => `{"items":[{"type":1,"name":"x","login":{"username":"u","password":"p"}${more}}]}`;
const keepass = (inner: string): string => `<KeePassFile><Root><Group>${inner}</Group></Root></KeePassFile>`;

/** A ZIP archive whose one member unpacks to so many zeros. */
function bomb(size: number): Uint8Array {
  const packed = new Uint8Array(deflateRawSync(new Uint8Array(size)));
  const archive = zipOf({ "export.data": packed });
  const view = new DataView(archive.buffer);
  const directory = archive.length - 22 - 46 - "export.data".length;
  for (const at of [8, directory + 10]) view.setUint16(at, 8, true);
  for (const at of [22, directory + 24]) view.setUint32(at, size, true);
  return archive;
}

/** What chance does not find: inputs as large as they may be, of the kind that costs a careless reader most. */
const worst: readonly (readonly [string, string, () => string | Uint8Array])[] = [
  ["json", "a mebibyte of brackets", () => "[".repeat(MIB)],
  ["json", "a list of lists", () => `[${"[],".repeat(100_000)}[]]`],
  ["json", "a number of a mebibyte", () => "1".repeat(MIB)],
  ["json", "a fraction of a mebibyte", () => `0.${"1".repeat(MIB - 2)}`],
  ["json", "a text of escapes", () => `"${'\\"'.repeat(MIB / 2 - 1)}"`],
  ["json", "a text of backslashes that never ends", () => `"${"\\".repeat(MIB - 1)}`],
  ["json", "thirty thousand members", () => `{${times(30_000, (at) => `"m${at}":0,`)}"x":0}`],
  ["json", "nothing but space", () => " ".repeat(MIB)],
  ["der", "fifty thousand empty elements", () => new Uint8Array(100_000)],
  ["der", "an integer of 300,000 octets", () => Uint8Array.from({ length: 300_005 }, (_, at) => [2, 0x83, 0x04, 0x93, 0xe0][at] ?? 1)],
  ["base64url", "a mebibyte", () => "A".repeat(MIB)],
  ["udf", "an address of dots", () => `a@${"a.".repeat(MIB / 2)}`],
  ["udf", "a fingerprint of dashes", () => "A-".repeat(MIB / 2)],
  ["words", "twenty-five thousand words", () => "zebr ".repeat(25_000)],
  ["request", "a hundred thousand members", () => `{"Hello":{${times(80_000, (at) => `"m${at}":0,`)}"x":0}}`],
  ["request", "three hundred thousand parts", () => `{"Publish":{"parts":[${"{},".repeat(300_000)}{}]}}`],
  ["entries", "two thousand changes", () => `{"changes":[${times(2000, (at) => `${at === 0 ? "" : ","}{"entry":"AAAAAAAAAAAAAAAAAAAAAA","fields":{"name":[${at + 1},"a"]}}`)}],"v":1}`],
  ["import-bitwarden", "a title of a mebibyte", () => `{"items":[{"type":1,"name":"${"a".repeat(MIB)}"}]}`],
  ["import-bitwarden", "a thousand items of one name", () => `{"items":[${times(1000, (at) => `${at === 0 ? "" : ","}{"type":1,"name":"x","login":{"password":"p${at}"}}`)}]}`],
  ["import-bitwarden", "thirty thousand fields", () => bitwardenItem(`,"fields":[${'{"name":"a","value":"b","type":0},'.repeat(30_000)}{}]`)],
  ["import-bitwarden", "folders of slashes", () => `{"folders":[{"id":"a","name":"${"a/".repeat(MIB / 2)}"}],"items":[]}`],
  ["import-csv", "a quote that never closes", () => `name,url,username,password\n"${'""'.repeat(MIB / 2)}`],
  ["import-csv", "a mebibyte of commas", () => ",".repeat(MIB)],
  ["import-csv", "fields of a mebibyte", () => `folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n,,,a,,"${"a: b\n".repeat(200_000)}",,"${",a".repeat(200_000)}",,,\n`],
  ["import-keepass", "a tag that never ends", () => `<a${' b="c"'.repeat(MIB / 6)}`],
  ["import-keepass", "a tag of spaces", () => `<a${" ".repeat(MIB)}`],
  ["import-keepass", "fifty thousand entities", () => keepass(`<Name>${"&amp;".repeat(50_000)}</Name>`)],
  ["import-keepass", "elements in elements", () => "<a>".repeat(MIB / 3)],
  ["import-keepass", "an entry with two thousand texts", () => keepass(`<Entry>${times(2000, (at) => `<String><Key>k${at}</Key><Value>v</Value></String>`)}</Entry>`)],
  ["import-kdbx", "ten thousand hidden texts", () => kdbxInner(octets(keepass(`<Entry>${"<String><Key>Title</Key><Value Protected=\"True\">AAAA</Value></String>".repeat(10_000)}</Entry>`)))],
  ["zip", "a bomb of 200 MiB", () => bomb(200 * MIB)],
  ["zip", "a comment of signatures", () => "PK\u0005\u0006".repeat(MIB / 4)],
  ["import-mesh", "a field with two thousand values", () => `{"entries":[{"fields":{"name":[${"1,".repeat(2000)}2]},"id":"AAAAAAAAAAAAAAAAAAAAAA"}],"format":"mesh-passwords","v":1}`],
  ["archive-2017", "a mebibyte of line breaks", () => "\n".repeat(MIB)],
  ["pins", "a PIN of dashes", () => "- ".repeat(MIB / 2)],
  ["sites", "rules of brackets", () => `required: ${"[".repeat(2000)}`],
  ["sites", "a secret of a mebibyte", () => "A".repeat(MIB)],
  ["cli", "ten thousand arguments", () => "--x\n".repeat(10_000)],
  ["cli", "a command of a hundred thousand letters", () => "p".repeat(100_000)],
  ["http", "a URL of a mebibyte", () => `https://${"a".repeat(MIB)}`],
];

suite("the worst that is known is read or refused within a second, and in 256 MiB", () => {
  for (const [name, what, make] of worst) {
    test(`${name}: ${what}`, async () => {
      const target = targets.find((one) => one.name === name) ?? assert.fail(name);
      const input = make();
      const growth = new Growth();
      const trial = new Trial(target, () => {});
      assert.equal((await trial.run(typeof input === "string" ? octets(input) : input))?.error, undefined);
      growth.now();
      assert.ok(growth.most <= MAX_GROWTH, `memory grew by ${growth.most >> 20} MiB`);
    });
  }
});
