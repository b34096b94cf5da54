/** The modules of a QR code, true for dark ones, row by row, without a margin. */
export type QrModules = readonly (readonly boolean[])[];

/** Margins in modules: a standard one (ISO/IEC 18004 §5.3.8) on paper, half of it on a terminal, where rows are dear and readers forgive it. */
const PAPER_MARGIN = 4;
const TERMINAL_MARGIN = 2;
const PIXELS = 8;

/** Makes the QR code of a text; no part of a screen is scratched or stained, so the least error correction that costs no size will do. */
export async function qrOf(text: string): Promise<QrModules> {
  const { encode } = await import("uqr");
  return encode(text, { border: 0, boostEcc: true, ecc: "L" }).data;
}

/** How many columns {@link drawQr} takes. */
export function qrColumns(modules: QrModules): number {
  return modules.length + 2 * TERMINAL_MARGIN;
}

/**
 * Draws a QR code in half blocks, two rows of modules a line.
 *
 * With `colours` it is black on white whatever the terminal's own are; without, it takes the terminal to write light on dark.
 */
export function drawQr(modules: QrModules, colours: boolean): string {
  const size = qrColumns(modules);
  const isDark = (row: number, column: number): boolean => modules[row - TERMINAL_MARGIN]?.[column - TERMINAL_MARGIN] === true;
  const isInk = (row: number, column: number): boolean => row < size && isDark(row, column) === colours;
  const lines = Array.from({ length: Math.ceil(size / 2) }, (_, line) => {
    const characters = Array.from({ length: size }, (_, column) => {
      const [upper, lower] = [isInk(2 * line, column), isInk(2 * line + 1, column)];
      return upper ? (lower ? "█" : "▀") : lower ? "▄" : " ";
    }).join("");
    return colours ? `\u001B[30;107m${characters}\u001B[0m` : characters;
  });
  return `${lines.join("\n")}\n`;
}

/** Draws a QR code as an SVG picture, black on white, one run of dark modules after the other. */
export function qrSvg(modules: QrModules, title: string): string {
  const size = modules.length + 2 * PAPER_MARGIN;
  const runs = modules.flatMap((row, y) => [...row.map((dark) => (dark ? "1" : "0")).join("").matchAll(/1+/g)].map((run) => `M${run.index + PAPER_MARGIN} ${y + PAPER_MARGIN}h${run[0].length}v1h-${run[0].length}z`));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size * PIXELS}" height="${size * PIXELS}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><title>${title}</title><rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${runs.join("")}"/></svg>\n`;
}
