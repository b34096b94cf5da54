import { demand } from "../../refusals/mesh-error.ts";

/** The largest file that is taken in hand, in characters. */
export const maxAuthorizedKeys = 1024 * 1024;

/** A file of who may log in: the lines that are ours, and those that are somebody else's affair. */
export type AuthorizedKeys = {
  /** Lines of the block; undefined if there is none. */
  readonly block: readonly string[] | undefined;
  /** Comments in the block. */
  readonly comments: readonly string[];
  /** Lines outside it that let somebody in, as they stand. */
  readonly others: readonly string[];
};

const named = (name: string) => ({ begin: `# BEGIN mesh ${name}`, end: `# END mesh ${name}` });

/**
 * Reads an authorized_keys file (sshd(8)).
 * @param name of the block: one person's, so that two people may share an account
 * @throws MeshError `ssh-block-damaged` where the block begins or ends twice, or not at all; `ssh-file-too-large`
 */
export function readAuthorizedKeys(text: string, name: string): AuthorizedKeys {
  const { before, inside, after } = split(text, name);
  const comments = (inside ?? "").split("\n").map((line) => line.trim()).filter((line) => line.startsWith("#"));
  return { block: inside === undefined ? undefined : meaningful(inside), comments, others: meaningful(`${before}\n${after}`) };
}

/**
 * The file with other lines in its block, which comes last if it is new and goes if it is empty; not an octet outside it changes.
 *
 * Errors as {@link readAuthorizedKeys}.
 */
export function withBlock(text: string, name: string, lines: readonly string[]): string {
  const { before, inside, after } = split(text, name);
  const { begin, end } = named(name);
  if (lines.some((line) => /[\r\n]/.test(line) || line === begin || line === end)) throw new TypeError("A line of a block is one line, and none of its marks.");
  const block = lines.length === 0 ? "" : `${[begin, ...lines, end].join("\n")}\n`;
  if (inside !== undefined) return `${before}${block}${after}`;
  // A last line without its break would swallow our mark.
  return block === "" ? text : `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${block}`;
}

function split(text: string, name: string): { readonly before: string; readonly inside: string | undefined; readonly after: string } {
  demand(text.length <= maxAuthorizedKeys, "ssh-file-too-large", "An authorized_keys file has more than a million characters.", "Look at it by hand: nothing was changed.");
  const { begin, end } = named(name);
  const [begins, ends] = [placesOf(text, begin), placesOf(text, end)];
  if (begins.length === 0 && ends.length === 0) return { before: text, inside: undefined, after: "" };
  const [from, to] = [begins[0], ends[0]];
  demand(begins.length === 1 && ends.length === 1 && from !== undefined && to !== undefined && from.start < to.start, "ssh-block-damaged", `The lines between "${begin}" and "${end}" were taken apart.`, "Mend or remove these two lines; nothing was changed.");
  return { before: text.slice(0, from.start), inside: text.slice(from.end, to.start), after: text.slice(to.end) };
}

/** Where a line stands that is exactly this text, whatever breaks its lines: from its start to the start of the next. */
function placesOf(text: string, wanted: string): readonly { readonly start: number; readonly end: number }[] {
  const places: { start: number; end: number }[] = [];
  for (let start = 0; start < text.length; ) {
    const at = text.indexOf("\n", start);
    const end = at === -1 ? text.length : at + 1;
    if (text.slice(start, end).trim() === wanted) places.push({ start, end });
    start = end;
  }
  return places;
}

/** Lines that say something to sshd: neither empty nor a comment. */
function meaningful(text: string): readonly string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}
