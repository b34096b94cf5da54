import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/** What a stranger to our code (zbar) reads in a picture. */
export function readQr(picture: string): string {
  const { stdout, stderr, status } = spawnSync("zbarimg", ["--quiet", "--raw", picture], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trimEnd();
}

/** Draws a screen of half blocks as a picture (PGM), `ink` being the brightness of what is written. */
export function drawScreen(screen: string, ink: 0 | 255, path: string): string {
  const pixels = 4;
  const lines = stripVTControlCharacters(screen).replace(/\n$/, "").split("\n");
  const rows = lines.flatMap((line) => [["█", "▀"], ["█", "▄"]].map((inked) => Array.from(line, (character) => (inked.includes(character) ? ink : 255 - ink))));
  const wide = rows.flatMap((row) => Array.from({ length: pixels }, () => row.flatMap((value) => Array.from({ length: pixels }, () => value))));
  writeFileSync(path, Buffer.concat([Buffer.from(`P5 ${wide[0]?.length} ${wide.length} 255\n`), Buffer.from(wide.flat())]));
  return path;
}
