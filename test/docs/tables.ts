/** The cells of every row of the tables of a Markdown text, headings and rulers left out; a code span loses its backticks. */
export function tableRows(markdown: string): readonly (readonly string[])[] {
  const lines = markdown.split("\n");
  return lines
    .filter((line, at) => line.startsWith("|") && !isRuler(line) && !isRuler(lines[at + 1] ?? ""))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll("\\|", "|").replace(/^`([^`]*)`$/, "$1")));
}

const isRuler = (line: string): boolean => /^\|(?:\s*:?-+:?\s*\|)+$/.test(line);
