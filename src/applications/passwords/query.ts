import { foldCase } from "../../bytes/text.ts";
import type { Listed } from "./listed.ts";

/** What narrows a list down: every tag, the site, and the folder with those within it; absent ones do not. */
export type Filter = { readonly tags: readonly string[]; readonly site: string | undefined; readonly folder?: string | undefined };

/** Takes `tag:`, `site:` and `folder:` out of the words of a search; the rest is looked for as words. */
export function parseQuery(words: readonly string[]): { readonly words: string; readonly filter: Filter } {
  const said = (prefix: string) => words.filter((one) => one.startsWith(prefix) && one.length > prefix.length).map((one) => one.slice(prefix.length));
  const filter = { tags: said("tag:"), site: said("site:")[0], folder: said("folder:")[0] };
  const rest = words.filter((one) => !/^(?:tag|site|folder):./.test(one));
  return { words: rest.join(" "), filter };
}

/** The logins that have all the tags, whatever their case, are for the site, and lie in the folder or one within it. */
export function filterPasswords<T extends Listed>(passwords: readonly T[], { tags, site, folder }: Filter): readonly T[] {
  const wanted = tags.map(foldCase);
  const host = site === undefined ? undefined : hostOf(site);
  const path = folder === undefined ? undefined : foldCase(folder.replace(/\/+$/, ""));
  return passwords.filter((one) => (path === undefined || `${foldCase(one.folder ?? "")}/`.startsWith(`${path}/`)) && (wanted.length === 0 || has(one.tags, wanted)) && (host === undefined || one.sites.some((kept) => isFor(hostOf(kept), host))));
}

function has(tags: readonly string[], wanted: readonly string[]): boolean {
  const own = new Set(tags.map(foldCase));
  return wanted.every((tag) => own.has(tag));
}

/** Whether a login kept for one host is for another: the same, or one below it. What is kept for `bank.example` serves `www.bank.example`; not the other way round, nor `mybank.example`. */
function isFor(kept: string, asked: string): boolean {
  return kept !== "" && (kept === asked || (kept.includes(".") && asked.endsWith(`.${kept}`)));
}

/** The host of what people and programs write as a site: a URL, or a name with or without a port and a path. */
export function hostOf(site: string): string {
  const text = site.trim().toLowerCase();
  // Plain names need no parser, which is slow where there are thousands.
  const plain = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([a-z0-9_.-]+)(?::[0-9]+)?(?:[/?#]|$)/.exec(text)?.[1];
  return (plain ?? parsedHost(text)).replace(/^www\./, "").replace(/\.$/, "");
}

function parsedHost(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//.test(text) ? text : `https://${text}`;
  return URL.canParse(url) ? new URL(url).hostname : "";
}
