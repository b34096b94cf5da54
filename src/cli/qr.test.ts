import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { stripVTControlCharacters } from "node:util";

import { drawQr, qrColumns, qrOf, qrSvg } from "./qr.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-qr-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What a stranger to our code (zbar) reads in a picture. */
function read(picture: string): string {
  const { stdout, stderr, status } = spawnSync("zbarimg", ["--quiet", "--raw", picture], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trimEnd();
}

/** A screen full of half blocks as a picture (PGM), in whose cells `ink` is the brightness of what is written. */
function pictureOf(drawn: string, ink: 0 | 255): string {
  const pixels = 4;
  const lines = stripVTControlCharacters(drawn).replace(/\n$/, "").split("\n");
  const rows = lines.flatMap((line) => [["█", "▀"], ["█", "▄"]].map((inked) => Array.from(line, (character) => (inked.includes(character) ? ink : 255 - ink))));
  const wide = rows.flatMap((row) => Array.from({ length: pixels }, () => row.flatMap((value) => Array.from({ length: pixels }, () => value))));
  const path = join(folder, `screen-${ink}.pgm`);
  writeFileSync(path, Buffer.concat([Buffer.from(`P5 ${wide[0]?.length} ${wide.length} 255\n`), Buffer.from(wide.flat())]));
  return path;
}

suite("QR codes", () => {
  const texts = ["MESH:JOIN/1/ALICE/EXAMPLE.COM/ABCDE", "mesh:lower case needs octets", `MESH:JOIN/1/${"A2B3C4D5".repeat(40)}`];

  for (const text of texts) {
    test(`are read by others, off the terminal and off paper: ${text.slice(0, 40)}`, async () => {
      const modules = await qrOf(text);
      assert.equal(read(pictureOf(drawQr(modules, true), 0)), text);
      assert.equal(read(pictureOf(drawQr(modules, false), 255)), text);
      writeFileSync(join(folder, "qr.svg"), qrSvg(modules, "test"));
      assert.equal(spawnSync("rsvg-convert", [join(folder, "qr.svg"), "-o", join(folder, "qr.png")]).status, 0);
      assert.equal(read(join(folder, "qr.png")), text);
    });
  }

  test("every line has the columns that are said, and colours end with it", async () => {
    const modules = await qrOf(texts[0] ?? "");
    const lines = drawQr(modules, true).trimEnd().split("\n");
    for (const line of lines) assert.deepEqual([line.endsWith("\u001B[0m"), stripVTControlCharacters(line).length], [true, qrColumns(modules)]);
    assert.equal(lines.length, Math.ceil(qrColumns(modules) / 2));
    assert.ok(!drawQr(modules, false).includes("\u001B"));
  });
});
