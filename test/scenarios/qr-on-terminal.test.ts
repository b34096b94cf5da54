import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { drawScreen, readQr } from "../../src/cli/test-qr.ts";
import { openPlace } from "../support/processes.ts";

test("a device joins by what another program reads off the terminal on which the other waits, and nothing is typed", { timeout: 120_000 }, async () => {
  const place = openPlace();
  try {
    const portal = await place.portal();
    await place.json("desktop", ["create", "alice@example.com", "--portal", portal.url, "--device-name", "desktop", "--no-passphrase"]);
    const screen = join(place.folder, "screen");
    const waiting = place.shell("desktop", `script -qefc 'stty cols 100; mesh device pin --qr --wait 90' ${screen}`, { TERM: "xterm" });
    const shown = await place.shell("desktop", `while ! grep -q Waiting ${screen}; do sleep 0.1; done; cat ${screen}`);
    const lines = shown.stdout.split(/\r?\n/).filter((line) => line.includes("\u001B[30;107m"));
    assert.ok(lines.length >= 21 && lines.length <= 24, `${lines.length} lines`);
    const code = readQr(drawScreen(lines.join("\n"), 0, join(place.folder, "screen.pgm")));
    assert.match(code, /^MESH:JOIN\/1\/ALICE\/EXAMPLE\.COM\//);
    const joined = await place.mesh("tablet", ["join", "--pin-file", place.file("scanned", `${code}\n`), "--device-name", "tablet", "--no-passphrase", "--wait", "90"]);
    assert.equal(joined.status, 0, joined.stderr);
    const waited = await waiting;
    assert.deepEqual([waited.status, /tablet joined by PIN\./.test(waited.stdout)], [0, true], waited.stdout);
  } finally {
    await place.close();
  }
});
