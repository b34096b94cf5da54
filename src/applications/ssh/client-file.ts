/** One line of an ssh_config (ssh_config(5)): its keyword in small letters, and its words. */
export type Statement = { readonly keyword: string; readonly words: readonly string[] };

/** A `Host` section of one or more plain names; `says` has every keyword in it but Host. */
export type Block = { readonly names: readonly string[]; readonly says: readonly Statement[] };

/** Reads the lines of an ssh_config, as far as they are understood: a line that is not well-formed says nothing. */
export function readStatements(text: string): readonly Statement[] {
  return text.split("\n").flatMap((raw) => {
    const line = raw.trim();
    const [, keyword = "", rest = ""] = line.startsWith("#") ? [] : (/^([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? []);
    if (keyword === "") return [];
    const words = [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    // After a blank # begins a comment.
    const end = words.findIndex((word) => word.startsWith("#"));
    return [{ keyword: keyword.toLowerCase(), words: end === -1 ? words : words.slice(0, end) }];
  });
}

/** The `Host` sections, in their order; what stands before the first, or under `Match`, is in none. */
export function blocksOf(statements: readonly Statement[]): readonly Block[] {
  const blocks: { names: readonly string[]; says: Statement[] }[] = [];
  let open: (typeof blocks)[number] | undefined;
  for (const statement of statements) {
    if (statement.keyword === "match") open = undefined;
    else if (statement.keyword === "host") blocks.push((open = { names: statement.words, says: [] }));
    else open?.says.push(statement);
  }
  return blocks;
}
