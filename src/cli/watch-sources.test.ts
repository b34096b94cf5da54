import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { watchedFreshness } from "./watch-sources.ts";

describe("whether the sources are still those of the bundle", { skip: process.platform !== "linux" && "the kernel is not asked" }, () => {
  const root = mkdtempSync(join(tmpdir(), "mesh-sources-"));
  after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "src/deep/er"), { recursive: true });
  for (const path of ["package.json", "src/deep/er/a.ts"]) writeFileSync(join(root, path), "as it was");
  const sources = () => ({ root, paths: ["package.json", "src/deep/er/a.ts"] });

  test("is looked at once, and again after each way to change a file, in time for a request that comes at once", async () => {
    let looked = 0;
    const watched = watchedFreshness({ isFresh: () => ++looked > 0, sources });
    // A request over a socket, as an agent has it.
    const server = createServer((socket) => socket.once("data", () => socket.end(String(watched.isFresh() && looked))));
    server.listen(join(root, "socket"));
    await once(server, "listening");
    const ask = async (): Promise<number> => {
      const socket = connect(join(root, "socket"));
      socket.write("?");
      const [said] = (await once(socket, "data")) as [Buffer];
      return Number(String(said));
    };
    await ask();
    assert.equal(await ask(), await ask(), "nothing was changed");
    const changes: readonly (() => void)[] = [
      () => appendFileSync(join(root, "src/deep/er/a.ts"), "in place"),
      () => {
        writeFileSync(join(root, "src/deep/er/a.ts.new"), "by renaming");
        renameSync(join(root, "src/deep/er/a.ts.new"), join(root, "src/deep/er/a.ts"));
      },
      () => writeFileSync(join(root, "package.json"), "in place"),
      () => renameSync(join(root, "src/deep"), join(root, "src/away")),
    ];
    for (const [at, change] of changes.entries()) {
      const before = await ask();
      change();
      assert.ok((await ask()) > before, `change ${at}`);
      assert.equal(await ask(), looked);
    }
    watched.close();
    server.close();
  });

  test("is looked at each time where there is no checkout to watch, or a folder of it is not there", () => {
    for (const from of [() => undefined, () => ({ root, paths: ["gone/a.ts"] })]) {
      let looked = 0;
      const watched = watchedFreshness({ isFresh: () => ++looked > 0, sources: from });
      for (let times = 1; times < 4; times++) assert.ok(watched.isFresh() && looked === times);
    }
  });

  test("stays stale until something is changed again", async () => {
    const watched = watchedFreshness({ isFresh: () => false, sources: () => ({ root, paths: ["package.json"] }) });
    assert.deepEqual([watched.isFresh(), watched.isFresh()], [false, false]);
    watched.close();
  });
});
