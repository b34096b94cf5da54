import type { Scene } from "./stage.ts";

/** How a run of text looks: a prompt in its device's colour, what is typed, what is said, and words that matter. */
export type Look = "desktop" | "laptop" | "tablet" | "stranger" | "typed" | "said" | "error" | "words" | "dim";

/** One line on the screen; `begins` marks those with a prompt. */
export type Line = { readonly begins: boolean; readonly runs: readonly { readonly text: string; readonly look: Look }[] };

/** How many characters a line of the picture holds. */
export const COLUMNS = 72;

const WORDS = /^ {4}(?:[a-z]+ ){2,5}[a-z]+$/;

/** The lines of a command and of what it said, wrapped at a width. */
export function linesOf(scene: Extract<Scene, { kind: "command" }>, columns = COLUMNS): readonly Line[] {
  const prompt = `${scene.who}$ `;
  const typed = wrapped(scene.line, columns - prompt.length);
  const first = typed.map((text, index): Line => ({ begins: index === 0, runs: [{ text: index === 0 ? prompt : " ".repeat(prompt.length), look: scene.who as Look }, { text, look: "typed" }] }));
  const said = tight(`${scene.said}${scene.error}`).flatMap((line) => wrapped(line, columns).map((text) => lineSaid(text, scene.status !== 5 && text.startsWith("mesh: "))));
  return [...first, ...said];
}

function lineSaid(text: string, error: boolean): Line {
  return { begins: false, runs: [{ text, look: WORDS.test(text) ? "words" : error ? "error" : "said" }] };
}

/** The lines of a text without those that are empty. */
function tight(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** A line broken at spaces, so that it fits; what comes after the break hangs by two. */
function wrapped(line: string, columns: number): readonly string[] {
  if (line.length <= columns) return [line];
  const at = line.lastIndexOf(" ", columns);
  const cut = at > 0 ? at : columns;
  return [line.slice(0, cut), ...wrapped(`  ${line.slice(cut).trim()}`, columns)];
}
