// Makes docs/story.svg: plays the story with real processes and draws what was typed and seen (node test/story/picture.ts).
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tree.ts";
import { COLUMNS, linesOf, type Line } from "./lines.ts";
import { playStory } from "./story.ts";
import { STYLE } from "./style.ts";
import type { Scene } from "./stage.ts";

const [CHARACTER, LEADING] = [7.8, 19] as const;
const [PADDING, GAP, HEAD] = [20, 20, 42] as const;
const CARD = COLUMNS * CHARACTER + 2 * PADDING;

/** One chapter of the story, as a card. */
type Card = { readonly title: string; readonly lines: readonly Line[]; readonly height: number };

const scenes = await playStory((scene) => console.log(scene.kind === "title" ? `\n${scene.text}` : `  ${scene.who}$ ${scene.line}`));
writeFileSync(join(root, "docs", "story.svg"), draw(cardsOf(scenes)));

function cardsOf(all: readonly Scene[]): readonly Card[] {
  const chapters: { title: string; lines: Line[] }[] = [];
  for (const scene of all) {
    if (scene.kind === "title") chapters.push({ title: scene.text, lines: [] });
    else chapters.at(-1)?.lines.push(...linesOf(scene));
  }
  return chapters.map(({ title, lines }) => ({ title, lines, height: HEAD + heightOf(lines) + PADDING }));
}

/** A command that follows another one stands off by half a line. */
function heightOf(lines: readonly Line[]): number {
  return lines.length * LEADING + lines.filter((line, index) => line.begins && index > 0).length * (LEADING / 2);
}

/** Two columns, read one after the other, split where the higher one is lowest. */
function draw(cards: readonly Card[]): string {
  const heightOfAll = (some: readonly Card[]): number => some.reduce<number>((sum, card) => sum + card.height + GAP, GAP);
  const splits = cards.map((_, index) => index + 1);
  const best = splits.reduce((a, b) => (tallest(cards, b, heightOfAll) < tallest(cards, a, heightOfAll) ? b : a));
  const columns = [cards.slice(0, best), cards.slice(best)];
  const width = columns.length * (CARD + GAP) + GAP;
  const height = Math.max(...columns.map(heightOfAll));
  const drawn = columns.flatMap((column, at) => {
    let y: number = GAP;
    return column.map((card, index) => {
      const part = drawCard(card, GAP + at * (CARD + GAP), y, (at === 0 ? 0 : best) + index + 1);
      y += card.height + GAP;
      return part;
    });
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img" aria-labelledby="title">
<title id="title">A session on four devices: a mesh is made, joined by words and by PIN, shares passwords, turns a stranger away and cuts off a stolen laptop</title>
<style>${STYLE}</style>
<rect class="page" width="100%" height="100%"/>
${drawn.join("\n")}
</svg>
`;
}

function tallest(cards: readonly Card[], split: number, height: (some: readonly Card[]) => number): number {
  return Math.max(height(cards.slice(0, split)), height(cards.slice(split)));
}

function drawCard({ title, lines, height }: Card, x: number, y: number, number: number): string {
  let at = y + HEAD + LEADING - 6;
  const rows = lines.map((line, index) => {
    if (line.begins && index > 0) at += LEADING / 2;
    let column = 0;
    const runs = line.runs.map(({ text, look }) => {
      const run = text.trim() === "" ? "" : `<text class="${look}" x="${round(x + PADDING + column * CHARACTER)}" y="${round(at)}" textLength="${round([...text].length * CHARACTER)}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">${escaped(text)}</text>`;
      column += [...text].length;
      return run;
    });
    at += LEADING;
    return runs.join("");
  });
  const heading = `<circle class="number" cx="${round(x + PADDING + 9)}" cy="${round(y + 23)}" r="10"/><text class="digit" x="${round(x + PADDING + 9)}" y="${round(y + 27)}">${number}</text><text class="title" x="${round(x + PADDING + 28)}" y="${round(y + 28)}">${escaped(title)}</text>`;
  return `<rect class="card" x="${round(x)}" y="${round(y)}" width="${round(CARD)}" height="${round(height)}" rx="10"/>${heading}\n${rows.join("\n")}`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
