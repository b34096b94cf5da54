/** One import of a file: what it names, and whether it takes types only. */
export type Import = {
  /** As written; undefined where it is computed. */
  readonly specifier: string | undefined;
  readonly typesOnly: boolean;
  /** A call of `import()`: loaded when it is reached, or not at all where it only names a type. */
  readonly onDemand: boolean;
  readonly line: number;
};

/**
 * The source with comments, texts and patterns blanked, octet for octet, so that searching it finds code only.
 *
 * Quotes stay where they are. A `/` begins a pattern where an operand cannot stand before it; that guess has the usual
 * blind spot (a pattern straight after a closing parenthesis), which costs a blanked line at worst.
 */
export function bare(source: string): string {
  const out = source.split("");
  const blank = (from: number, to: number) => {
    for (let at = from; at < to && at < out.length; at++) if (out[at] !== "\n") out[at] = " ";
  };
  /** Depths of braces inside `${ }`; a closing brace at depth 0 goes back into the template. */
  const templates: number[] = [];
  let at = 0;
  let before = "";

  const template = () => {
    const start = at;
    while (at < source.length && source[at] !== "`" && !source.startsWith("${", at)) at += source[at] === "\\" ? 2 : 1;
    blank(start, at);
    if (source[at] === "`") at += 1;
    else {
      templates.push(0);
      at += 2;
    }
  };

  while (at < source.length) {
    const char = source.charAt(at);
    const rest = source.slice(at, at + 2);
    if (rest === "//" || rest === "/*") {
      const found = source.indexOf(rest === "//" ? "\n" : "*/", at + 2);
      const end = found < 0 ? source.length : rest === "//" ? found : found + 2;
      blank(at, end);
      at = end;
      continue;
    }
    if (char === '"' || char === "'") {
      let end = at + 1;
      while (end < source.length && source[end] !== char && source[end] !== "\n") end += source[end] === "\\" ? 2 : 1;
      blank(at + 1, end);
      at = end + 1;
    } else if (char === "`") {
      at += 1;
      template();
    } else if (char === "/" && /^$|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of)$/.test(before)) {
      let end = at + 1;
      for (let inClass = false; end < source.length && source[end] !== "\n" && (inClass || source[end] !== "/"); end++) {
        if (source[end] === "\\") end += 1;
        else if (source[end] === "[") inClass = true;
        else if (source[end] === "]") inClass = false;
      }
      blank(at + 1, end);
      at = end + 1;
    } else {
      if (char === "{" && templates.length > 0) templates[templates.length - 1]! += 1;
      if (char === "}" && templates.length > 0) {
        if (templates.at(-1) === 0) {
          templates.pop();
          at += 1;
          template();
          before = "`";
          continue;
        }
        templates[templates.length - 1]! -= 1;
      }
      at += 1;
    }
    if (char.trim() !== "") before = /\w/.test(char) ? (/\w$/.test(before) && /\w/.test(source.charAt(at - 2)) ? before + char : char) : char;
  }
  return out.join("");
}

const fromClause = /\b(import|export)\b(\s+type\b(?!\s*,|\s+from\b))?([^;"'`()=]*?)\bfrom\s*(["'])/g;
const forEffect = /\bimport\s*(["'])/g;
const call = /\bimport\s*\(\s*(.)/g;

/** Every import and re-export of a file, types and calls of `import()` included. */
export function importsOf(source: string): readonly Import[] {
  const code = bare(source);
  const lineAt = (index: number) => source.slice(0, index).split("\n").length;
  /** The text whose opening quote is the last character of a match. */
  const textAt = (end: number) => source.slice(end, source.indexOf(source.charAt(end - 1), end));
  const found: Import[] = [];

  for (const match of code.matchAll(fromClause)) {
    const [all, , type, names = ""] = match;
    const listed = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1]?.split(",").map((name) => name.trim()).filter((name) => name !== "");
    const typesOnly = type !== undefined || (listed !== undefined && listed.length > 0 && listed.every((name) => name.startsWith("type ")));
    found.push({ specifier: textAt(match.index + all.length), typesOnly, onDemand: false, line: lineAt(match.index) });
  }
  for (const match of code.matchAll(forEffect)) {
    found.push({ specifier: textAt(match.index + match[0].length), typesOnly: false, onDemand: false, line: lineAt(match.index) });
  }
  for (const match of code.matchAll(call)) {
    const quoted = match[1] === '"' || match[1] === "'";
    found.push({ specifier: quoted ? textAt(match.index + match[0].length) : undefined, typesOnly: false, onDemand: true, line: lineAt(match.index) });
  }
  return found;
}
