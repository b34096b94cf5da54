import { kindWords } from "../kinds.ts";
import { limits } from "../limits.ts";
import type { Item } from "./item.ts";

/**
 * Gives items names under which people find them, each only once (spec 4.3).
 *
 * A title that is taken gets the user name after it, else a number; one that is no name (empty, too long, with control
 * characters) is mended. The same items in the same order get the same names.
 */
export class Names {
  readonly #taken: Set<string>;
  readonly #next = new Map<string, number>();

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** A name for an item, taken from now on. */
  give(item: Item): string {
    const base = nameFrom(item);
    const { username } = item.texts;
    const name = [base, ...(username === undefined ? [] : [followed(base, username)])].find((one) => !this.#taken.has(one)) ?? this.#numbered(base);
    this.#taken.add(name);
    return name;
  }

  #numbered(base: string): string {
    for (let number = this.#next.get(base) ?? 2; ; number++) {
      const name = followed(base, String(number));
      if (this.#taken.has(name)) continue;
      this.#next.set(base, number + 1);
      return name;
    }
  }
}

function nameFrom(item: Item): string {
  return [item.title, hostOf(item.sites[0]), item.texts.username ?? "", kindWords[item.kind][0]].map((text) => cleaned(text, limits.name)).find((text) => text !== "") ?? "";
}

function hostOf(site: string | undefined): string {
  if (site === undefined) return "";
  return URL.canParse(site) ? new URL(site).host || site : site;
}

function followed(base: string, by: string): string {
  const tail = ` (${cleaned(by, limits.name / 2)})`;
  return cleaned(base, limits.name - octets(tail)) + tail;
}

/** One line in the one spelling of names, cut where it is too long. */
function cleaned(text: string, most: number): string {
  let line = text.toWellFormed().replaceAll(/\p{Cc}+/gu, " ").trim().normalize("NFC");
  while (octets(line) > most) line = [...line].slice(0, -Math.max(1, Math.ceil((octets(line) - most) / 4))).join("").trimEnd();
  return line;
}

function octets(text: string): number {
  return new TextEncoder().encode(text).length;
}
