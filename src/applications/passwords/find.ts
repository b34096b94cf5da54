import { foldCase } from "../../bytes/text.ts";
import { type Entry, isRemoved } from "../../catalogs/merge.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Listed } from "./listed.ts";
import { isFolder, passwordOf } from "./password.ts";

/**
 * Finds the one login that a person names: by its exact name, else by a name that differs in case only, else by its identifier.
 *
 * Removed ones are found only when `removed` asks for them, and then alone.
 * @throws MeshError `password-not-found`, `password-ambiguous`
 */
export function findPassword(entries: readonly Entry[], name: string, removed = false): Entry {
  const wanted = name.trim().normalize("NFC");
  const named = entries.filter((entry) => isRemoved(entry) === removed && !isFolder(entry)).map((entry) => ({ entry, name: passwordOf(entry).name }));
  const exact = named.filter((one) => one.name === wanted);
  const matches = exact.length > 0 ? exact : named.filter((one) => foldCase(one.name) === foldCase(wanted));
  const [match] = matches.length > 0 ? matches : named.filter((one) => one.entry.id === wanted);
  const what = removed ? "removed login" : "login";
  if (match === undefined) throw new MeshError("password-not-found", `There is no ${what} named ${JSON.stringify(name)}.`, removed ? "See what was removed: mesh password list --removed" : "Look for part of a name: mesh password search WORD");
  const ids = matches.map((one) => one.entry.id).sort();
  demand(matches.length <= 1, "password-ambiguous", `${matches.length} logins are named ${JSON.stringify(name)}.`, `Say which by its identifier instead: ${ids.join(" or ")}`);
  return match.entry;
}

/** The logins of which every word of the query is somewhere in name, user name, sites, folder, tags or notes; case and accents do not count. Secrets are not searched. */
export function searchPasswords<T extends Listed>(passwords: readonly T[], query: string): readonly T[] {
  const words = fold(query).split(/\s+/u).filter((word) => word !== "").map(wordTest);
  return passwords.filter((password) => words.every((isIn) => isIn(password.name) || (password.username !== undefined && isIn(password.username)) || password.sites.some(isIn) || (password.folder !== undefined && isIn(password.folder)) || password.tags.some(isIn) || (password.notes !== undefined && isIn(password.notes))));
}

/** A test for a folded word; most of what people keep is ASCII, which need not be folded, and folding is the dear part. */
function wordTest(word: string): (text: string) => boolean {
  const plainly = new RegExp(word.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "i");
  return (text) => plainly.test(text) || (NOT_ASCII.test(text) && fold(text).includes(word));
}

const NOT_ASCII = /[^\0-\x7f]/;

function fold(text: string): string {
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toUpperCase();
}
