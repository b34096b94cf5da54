import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { read, root } from "../tree.ts";
import { drawMap, withMap } from "./map.ts";

test("docs/map.md shows the rooms as rooms.ts has them (MESH_UPDATE=1 draws it again)", () => {
  const document = read("docs/map.md");
  const drawn = withMap(document);
  assert.ok(drawn.includes(drawMap()), "docs/map.md has lost the marks <!-- rooms --> and <!-- /rooms -->");
  if (process.env["MESH_UPDATE"] === "1") writeFileSync(join(root, "docs/map.md"), drawn);
  else assert.equal(document, drawn, "docs/map.md is not what rooms.ts says; MESH_UPDATE=1 npm test -- map draws it again");
});
