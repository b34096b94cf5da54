import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { deflateRawSync, gzipSync, crc32 as platformCrc } from "node:zlib";
import * as fc from "fast-check";

import { readCsv, writeCsv } from "./csv.ts";
import { folderNames, folderPath } from "./folders.ts";
import { inflate } from "./inflate.ts";
import { codeOf } from "./test-files.ts";
import { element, isSayable, readXml, textElement, writeXml } from "./xml.ts";
import { crc32, Zip } from "./zip.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

suite("CSV", () => {
  test("what is written is read back, whatever the values", () => {
    // A line with nothing in it is no row.
    const row = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 5 }).filter((values) => values.length > 1 || values[0] !== "");
    const table = fc.array(row, { maxLength: 6 });
    fc.assert(fc.property(table, fc.boolean(), (rows, always) => assert.deepEqual(readCsv(writeCsv(rows, always)), { rows, damage: undefined })));
  });

  test("quotes, line ends, byte order marks and lines with nothing are as in the wild", () => {
    const cases: readonly (readonly [string, readonly (readonly string[])[], boolean])[] = [
      ["a,b\n1,2", [["a", "b"], ["1", "2"]], true],
      ["\uFEFFa,b\r\n\r\n1,\r\n", [["a", "b"], ["1", ""]], true],
      ['"a ""b""","c\nd"\n', [['a "b"', "c\nd"]], true],
      ["a,\n", [["a", ""]], true],
      ["a,", [["a", ""]], true],
      ['a\n"b', [["a"]], false],
      ['a\nb"c', [["a"]], false],
      ['a\n"b"c', [["a"]], false],
      [`a\n${"x,".repeat(100)}`, [["a"]], false],
    ];
    for (const [text, rows, whole] of cases) {
      const table = readCsv(text);
      assert.deepEqual([table.rows, table.damage === undefined], [rows, whole], JSON.stringify(text));
    }
  });
});

suite("XML", () => {
  test("what is written is read back, whatever the texts", () => {
    const text = fc.string({ unit: "binary" }).filter((value) => isSayable(value) && !value.includes("\r\n"));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 5 }), (pairs) => {
        const made = element("Root", pairs.map(([value, attribute]) => textElement("Value", value, { Note: attribute.replaceAll(/[\t\n\r<]/g, " ") })));
        assert.deepEqual(readXml(writeXml(made)), { root: made, damage: undefined });
      }),
    );
  });

  test("a line break of two characters is told by number, and bare is one", () => {
    assert.equal(readXml(writeXml(textElement("a", "x\r\ny"))).root?.text, "x\r\ny");
    assert.equal(readXml("<a>x\r\ny</a>").root?.text, "x\ny");
    assert.equal(readXml("<a>&#x1F30D;&#65;&lt;&amp;&gt;&quot;&apos;</a>").root?.text, "🌍A<&>\"'");
    assert.equal(readXml("<!-- one --><a><!-- two --><b/></a><!-- three -->").damage, undefined);
  });

  test("what password managers do not write is damage", () => {
    for (const text of [
      "", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>text", "<a>text<b/></a>", "<a><b/>text</a>", "<a x=1/>", "<a x='1' x='2'/>", "<a>&nbsp;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>& </a>",
      "<!DOCTYPE a><a/>", "<a><![CDATA[x]]></a>", "<?xml version='1.0'?><?php ?><a/>", "<a><!-- x </a>", "<1/>", "< a/>", "<a:b/>", "<a>".repeat(100) + "</a>".repeat(100),
    ]) assert.notEqual(readXml(text).damage, undefined, text.slice(0, 40));
  });

  test("an element that is cut off is marked so, with all it stands in", () => {
    const { root, damage } = readXml("<a><b>whole</b><c><d>cut o");
    assert.match(damage ?? "", /cut off/);
    assert.deepEqual([root?.cut, root?.children.map(({ name, cut }) => [name, cut])], [true, [["b", undefined], ["c", true]]]);
  });
});

suite("packed", () => {
  test("a small file that holds a huge one is refused as soon as it is too much", async () => {
    const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024));
    assert(bomb.length < 100_000);
    assert.equal(await codeOf(() => inflate(bomb, "gzip", 1024 * 1024)), "import-too-large");
  });

  test("what is cut off or changed unpacks as far as it goes, and says so", async () => {
    const text = octets("a line of text, and another one\n".repeat(1000));
    const packed = gzipSync(text);
    assert.deepEqual(await inflate(packed, "gzip", 1e6), { octets: text, damaged: false });
    assert.equal((await inflate(packed.subarray(0, -9), "gzip", 1e6)).damaged, true);
    assert.equal((await inflate(packed.map((octet, at) => (at === packed.length - 6 ? octet ^ 1 : octet)), "gzip", 1e6)).damaged, true);
    assert.equal((await inflate(octets("no gzip"), "gzip", 1e6)).damaged, true);
  });

  test("an archive's members are checked by length and digest; one that says it is small may not be large", async () => {
    const member = (sizeSaid: number, content: Uint8Array): Uint8Array => {
      const packed = deflateRawSync(content);
      const [u16, u32] = [(value: number) => Uint8Array.of(value & 255, value >> 8), (value: number) => Uint8Array.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24)];
      const common = [u16(20), u16(0), u16(8), u32(0), u32(platformCrc(content)), u32(packed.length), u32(sizeSaid), u16(1), u16(0)];
      const local = Buffer.concat([octets("PK\u0003\u0004"), ...common, octets("a"), packed]);
      const entry = Buffer.concat([octets("PK\u0001\u0002"), u16(20), ...common, u16(0), u16(0), u16(0), u32(0), u32(0), octets("a")]);
      return Buffer.concat([local, entry, octets("PK\u0005\u0006"), u32(0), u16(1), u16(1), u32(entry.length), u32(local.length), u16(0)]);
    };
    const content = octets("content ".repeat(100));
    assert.deepEqual(await new Zip(member(content.length, content)).read("a"), { octets: content, damaged: false });
    assert.equal((await new Zip(member(content.length + 1, content)).read("a"))?.damaged, true);
    assert.equal(await codeOf(() => new Zip(member(10, content)).read("a")), "import-too-large");
    assert.equal(await new Zip(member(content.length, content)).read("b"), undefined);
    for (const cut of [0, 10, 30, 100]) assert.equal(await codeOf(async () => new Zip(member(content.length, content).subarray(0, cut))), "import-damaged");
  });

  test("the check of archives is the platform's", () => {
    fc.assert(fc.property(fc.uint8Array(), (any) => assert.equal(crc32(any), platformCrc(any))));
  });
});

test("the names of a folder's way come back, whatever is in them", () => {
  fc.assert(fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }).filter((names) => names.length > 1 || names[0] !== ""), (names) => assert.deepEqual(folderNames(folderPath(names)), names)));
  assert.equal(folderPath(["Work", "Servers / old"]), "Work/Servers \\/ old");
});
