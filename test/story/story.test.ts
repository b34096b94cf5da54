import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, linesOf } from "./lines.ts";
import { playStory } from "./story.ts";
import type { Scene } from "./stage.ts";

type Command = Extract<Scene, { kind: "command" }>;

test("the story of draft §3.1 goes as it is told, and is drawn within its frame", { timeout: 120_000 }, async () => {
  const scenes = await playStory(() => undefined);
  const commands = scenes.filter((scene): scene is Command => scene.kind === "command");
  const last = (who: string, line: string): Command => commands.findLast((one) => one.who === who && one.line === line) ?? assert.fail(`nobody types ${line} on ${who}`);

  const [tablet, desktop] = [last("tablet", "mesh password get github"), last("desktop", "mesh password get github")];
  assert.equal(desktop.said, tablet.said, "what was saved without the portal arrived");
  assert.notEqual(last("laptop", "mesh password get github").said, desktop.said, "and not at the thief");
  assert.deepEqual(last("laptop", "mesh password list").said.match(/^(github|mail|bank)\b/gm), ["github"]);
  for (const line of commands.flatMap((one) => linesOf(one))) assert.ok(line.runs.reduce((sum, run) => sum + run.text.length, 0) <= COLUMNS);
});
