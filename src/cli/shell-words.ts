import type { Shell } from "./completion-scripts.ts";

/** The words of a line as they were meant, and how much of the last one a shell takes for words of their own. */
export type ShellWords = { readonly words: readonly string[]; readonly skipped: number };

/**
 * Words as a shell hands them to its completion: with the quotes that were typed, the last one's still open.
 *
 * Bash cuts them besides at `=`, `:` and `@` (COMP_WORDBREAKS), and puts what it is given in place of the last piece alone.
 */
export function wordsFrom(shell: Shell, given: readonly string[]): ShellWords {
  const plain = given.map((word, at) => (shell === "fish" && at < given.length - 1 ? word : unquoted(word)));
  if (shell !== "bash") return { words: plain, skipped: 0 };
  const isBreak = (word: string | undefined): boolean => word !== undefined && /^[=:@]+$/.test(word);
  const words: string[] = [];
  for (const [at, word] of plain.entries()) {
    const joined = at > 0 && (isBreak(given[at]) || isBreak(given[at - 1]));
    words.push((joined ? (words.pop() ?? "") : "") + word);
  }
  const last = plain.at(-1) ?? "";
  return { words, skipped: (words.at(-1) ?? "").length - (isBreak(given.at(-1)) ? 0 : last.length) };
}

/** A word without its quotes and backslashes (POSIX shell, 2.2), as far as it is typed. */
function unquoted(word: string): string {
  let text = "";
  let quote = "";
  for (let at = 0; at < word.length; at++) {
    const character = word.charAt(at);
    if (character === "\\" && quote !== "'") text += word.charAt(++at);
    else if (character === quote) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) quote = character;
    else text += character;
  }
  return text;
}
