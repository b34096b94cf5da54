// npm run story: plays the story with real processes and prints it as it happens; on a terminal, in colours.
import { styleText } from "node:util";
import { playStory } from "./story.ts";
import type { Scene } from "./stage.ts";

const hues = { desktop: "cyan", laptop: "yellow", tablet: "magenta", stranger: "red" } as const;
const started = performance.now();
let known = "";

await playStory(print);
console.log(`\nAll of this happened: ${((performance.now() - started) / 1000).toFixed(1)} s, each line a process, each device a home of its own.`);

function print(scene: Scene): void {
  if (scene.kind === "title") return console.log(`\n${styleText("bold", `── ${scene.text} `.padEnd(78, "─"))}`);
  const hue = Object.hasOwn(hues, scene.who) ? hues[scene.who as keyof typeof hues] : "white";
  const gap = known === scene.who ? "" : "\n";
  known = scene.who;
  console.log(`${gap}${styleText(hue, `${scene.who}$`)} ${styleText("bold", scene.line)}`);
  for (const text of [scene.said, scene.error]) if (text !== "") console.log(text.trimEnd());
  if (scene.status !== 0) console.log(styleText("dim", `[exit ${scene.status}]`));
}
