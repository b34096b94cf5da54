import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { filesBelow, read, root } from "../tree.ts";
import { rooms } from "./rooms.ts";
import { impurities, longerThan, reached, rings, strayDoors, throughWalls, type Tree, untypedLines } from "./walls.ts";

const tree: Tree = new Map(filesBelow("src", ".ts").map((path) => [path, read(path)]));
const others: Tree = new Map(["test", "bench"].flatMap((folder) => filesBelow(folder, ".ts")).map((path) => [path, read(path)]));

const none = (problems: readonly string[]) => assert.ok(problems.length === 0, `${problems.length} found:\n${problems.join("\n")}\n`);

suite("the walls of the house", () => {
  test("every import goes through a door that its room's row opens", () => none(throughWalls(tree)));
  test("nothing that a portal runs leads to what a portal must not know", () => none(reached(tree)));
  test("no file imports itself over a ring, types counted", () => none(rings(tree)));
  test("pure rooms read no clock, take no chance and touch nothing", () => none(impurities(tree)));
  test("nothing says any", () => none([...untypedLines(tree), ...untypedLines(others)]));
  test("one file calls the C library", () => assert.deepEqual([...tree].filter(([, source]) => source.includes("node:ffi")).map(([path]) => path), ["src/machine/libc.ts"]));
  test("front doors stand at entrances only", () => none(strayDoors(tree)));

  test("no file has more than 400 lines", (t) => {
    for (const long of longerThan(tree, 300)) t.diagnostic(`${long}; over 300 is rare`);
    none([...longerThan(tree, 400), ...longerThan(others, 400)]);
  });

  test("every room of the table is a folder", () => {
    const there = readdirSync(join(root, "src"), { withFileTypes: true });
    const folders = there.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
    assert.deepEqual(folders, Object.keys(rooms).filter((room) => !room.includes("/")).sort());
    none(there.filter((entry) => !entry.isDirectory()).map((entry) => `src/${entry.name} stands in no room`));
  });

  test("no arrow of the table points up: a room sees only what stands above it in the table", () => {
    const order = Object.keys(rooms);
    const up = Object.entries(rooms).flatMap(([room, { sees }]) =>
      sees.filter((seen) => seen !== "*" && order.indexOf(seen.split("/")[0] ?? "") > order.indexOf(room)).map((seen) => `${room} -> ${seen}`),
    );
    none(up);
  });
});
