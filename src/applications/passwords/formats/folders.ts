/** Folders are one text, `Work/Servers`: a slash or backslash within a name is written after a backslash. */

/** The text of a folder that lies in others, the outermost first; none is the empty text. */
export function folderPath(names: readonly string[]): string {
  return names.map((name) => name.replaceAll(/[\\/]/g, "\\$&")).join("/");
}

/** The names that lead to a folder. */
export function folderNames(path: string): readonly string[] {
  if (path === "") return [];
  const names = [""];
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at);
    if (character === "/") names.push("");
    else names[names.length - 1] += character === "\\" && at + 1 < path.length ? path.charAt(++at) : character;
  }
  return names;
}
