import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { stripVTControlCharacters } from "node:util";

import { drawQr, qrColumns, qrOf, qrSvg } from "./qr.ts";
import { drawScreen, readQr } from "./test-qr.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-qr-"));
after(() => rmSync(folder, { recursive: true, force: true }));

suite("QR codes", () => {
  const texts = ["MESH:JOIN/1/ALICE/EXAMPLE.COM/ABCDE", "mesh:lower case needs octets", `MESH:JOIN/1/${"A2B3C4D5".repeat(40)}`];

  for (const text of texts) {
    test(`are read by others, off the terminal and off paper: ${text.slice(0, 40)}`, async () => {
      const modules = await qrOf(text);
      assert.equal(readQr(drawScreen(drawQr(modules, true), 0, join(folder, "black.pgm"))), text);
      assert.equal(readQr(drawScreen(drawQr(modules, false), 255, join(folder, "white.pgm"))), text);
      writeFileSync(join(folder, "qr.svg"), qrSvg(modules, "test"));
      assert.equal(spawnSync("rsvg-convert", [join(folder, "qr.svg"), "-o", join(folder, "qr.png")]).status, 0);
      assert.equal(readQr(join(folder, "qr.png")), text);
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
