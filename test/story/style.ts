type Palette = Readonly<Record<"page" | "card" | "edge" | "said" | "typed" | "error" | "desktop" | "laptop" | "tablet" | "stranger" | "words" | "digit", string>>;

const light: Palette = { page: "#f4f1ea", card: "#fffdf8", edge: "#e3ddd0", said: "#5b6470", typed: "#1d2733", error: "#b4471f", desktop: "#0b6fa4", laptop: "#9a6a00", tablet: "#8a3fa0", stranger: "#b3261e", words: "#12805c", digit: "#fffdf8" };
const dark: Palette = { page: "#10141a", card: "#181e26", edge: "#2a333f", said: "#9aa7b5", typed: "#eef3f8", error: "#f0916c", desktop: "#5cc3f5", laptop: "#f0c060", tablet: "#d59bea", stranger: "#ff8a80", words: "#5fd3a6", digit: "#10141a" };

const SANS = 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif';

/** The picture's style sheet: light or dark as the reader's page is; no variables, which some renderers do not know. */
export const STYLE = `
text { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
text.title { font: 600 15px ${SANS}; } text.digit { font: 700 11px ${SANS}; text-anchor: middle; }
.typed, .words, .desktop, .laptop, .tablet, .stranger { font-weight: 600; }
${colours(light)}
@media (prefers-color-scheme: dark) {
${colours(dark)}
}
`;

function colours({ page, card, edge, typed, digit, ...looks }: Palette): string {
  const plain = Object.entries({ ...looks, typed, title: typed, digit, page, number: typed }).map(([name, colour]) => `.${name} { fill: ${colour}; }`);
  return [...plain, `.card { fill: ${card}; stroke: ${edge}; }`].join("\n");
}
