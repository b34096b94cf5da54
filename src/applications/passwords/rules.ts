import { demand } from "../../refusals/mesh-error.ts";

/** Letters and digits that no one confuses when reading them aloud or off a screen (no 0 O o, 1 l I), and signs that most sites take. */
export const classes = { lower: "abcdefghijkmnpqrstuvwxyz", upper: "ABCDEFGHJKLMNPQRSTUVWXYZ", digits: "23456789", symbols: "-_.+=!?@#%" } as const;
export type ClassName = keyof typeof classes;

/** At least so many of these characters. */
export type Requirement = { readonly characters: string; readonly least: number };

/** What a password that is made must be: so long, of these characters, with what is required, and no character more than `maxRun` times in a row. */
export type Rules = { readonly length: number; readonly characters: string; readonly required: readonly Requirement[]; readonly maxRun?: number };

/** What a person may ask for; an absent member is the usual: 20 characters of every class, at least one of each. */
export type Wishes = { readonly length?: number; readonly classes?: readonly ClassName[]; readonly least?: Readonly<Partial<Record<ClassName, number>>>; readonly also?: string; readonly without?: string };

export const DEFAULT_LENGTH = 20;
export const MAX_LENGTH = 256;

/**
 * The rules that follow from a person's wishes.
 * @throws MeshError `password-malformed` if nothing is left to draw from
 */
export function rulesOf(wishes: Wishes = {}): Rules {
  const unwanted = new Set(wishes.without ?? "");
  const left = (characters: string): string => [...new Set(characters)].filter((one) => !unwanted.has(one)).join("");
  const wanted = wishes.classes ?? (Object.keys(classes) as ClassName[]);
  const also = left(wishes.also ?? "");
  demand(!/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(also), "password-malformed", "A password that is made holds no control characters.");
  const required = wanted.map((name): Requirement => ({ characters: left(classes[name]), least: wishes.least?.[name] ?? 1 }));
  for (const name of Object.keys(wishes.least ?? {})) demand(wanted.includes(name as ClassName), "password-malformed", `At least some ${name} are wanted, but ${name} are not among the classes.`);
  const own = also === "" ? [] : [{ characters: also, least: 1 }];
  return checked({ length: wishes.length ?? DEFAULT_LENGTH, characters: left([...required, ...own].map((one) => one.characters).join("")), required: [...required, ...own] });
}

/** The rules of a PIN: digits alone, all ten of them. */
export function pinRules(length: number): Rules {
  return checked({ length, characters: "0123456789", required: [] });
}

/**
 * What Apple's `passwordrules` call character classes, cut down to what no one confuses: each password so made is one that the site takes.
 * (https://developer.apple.com/documentation/security/customizing-password-autofill-rules)
 */
const identifiers: Readonly<Record<string, string>> = {
  lower: classes.lower,
  upper: classes.upper,
  digit: classes.digits,
  digits: classes.digits,
  special: classes.symbols,
  "ascii-printable": Object.values(classes).join(""),
  unicode: Object.values(classes).join(""),
};

/**
 * Reads rules in the form of Apple's `passwordrules` attribute: `minlength: 20; required: lower; required: [-_]; max-consecutive: 2`.
 *
 * Every `required` asks for one of its characters at least; `allowed` adds characters that need not be there; with neither,
 * all printable ASCII may be drawn from. The length is 20, or the nearest to it that is allowed, or the `length` given.
 * @throws MeshError `password-malformed`, for properties and classes that it does not know too
 */
export function parsePasswordRules(text: string, length?: number): Rules {
  demand(text.length <= 2048, "password-malformed", "These rules are longer than 2048 characters.");
  const required: Requirement[] = [];
  const allowed: string[] = [];
  let [least, most, maxRun] = [1, MAX_LENGTH, Number.POSITIVE_INFINITY];
  for (const [name, value] of propertiesOf(text)) {
    if (name === "required") required.push({ characters: charactersIn(value), least: 1 });
    else if (name === "allowed") allowed.push(charactersIn(value));
    else if (name === "minlength") least = Math.max(least, numberIn(name, value));
    else if (name === "maxlength") most = Math.min(most, numberIn(name, value));
    else if (name === "max-consecutive") maxRun = Math.min(maxRun, numberIn(name, value));
    else demand(false, "password-malformed", `The rules have a property ${JSON.stringify(name.slice(0, 40))}, which is not known.`);
  }
  demand(least <= most, "password-malformed", `No password has at least ${least} and at most ${most} characters.`);
  const said = [...required.map((one) => one.characters), ...allowed].join("");
  const characters = [...new Set(said === "" ? identifiers["ascii-printable"] : said)].join("");
  const wanted = length ?? Math.min(Math.max(DEFAULT_LENGTH, least), most);
  demand(wanted >= least && wanted <= most, "password-malformed", `The rules want ${least} to ${most} characters, not ${wanted}.`);
  return checked({ length: wanted, characters, required, ...(Number.isFinite(maxRun) ? { maxRun } : {}) });
}

function checked(rules: Rules): Rules {
  demand(Number.isInteger(rules.length) && rules.length >= 1 && rules.length <= MAX_LENGTH, "password-malformed", `A password that is made has 1 to ${MAX_LENGTH} characters.`);
  demand(rules.characters !== "" && rules.required.every((one) => one.characters !== "" || one.least === 0), "password-malformed", "No characters are left to make a password of.");
  demand(rules.required.length <= 16, "password-malformed", "At most 16 kinds of characters can be required.");
  return rules;
}

/** Cuts rules into names and values; a semicolon or colon inside brackets is a character like any other. */
function propertiesOf(text: string): readonly (readonly [string, string])[] {
  return (text.match(/(?:\[[^\]]*\]{1,2}|[^;[])+/g) ?? []).flatMap((property) => {
    if (property.trim() === "") return [];
    const colon = property.indexOf(":");
    demand(colon > 0, "password-malformed", `The rules hold ${JSON.stringify(property.trim().slice(0, 40))}, which is no property with a value.`);
    return [[property.slice(0, colon).trim().toLowerCase(), property.slice(colon + 1).trim()] as const];
  });
}

/** Every character that a list of classes names; in brackets `]` stands last and `-` first. */
function charactersIn(value: string): string {
  const parts = [...value.matchAll(/\s*(\[[^\]]*\]{1,2}|[A-Za-z-]+)\s*(,|$)/gy)];
  demand(parts.length > 0 && parts.map((part) => part[0]).join("") === value, "password-malformed", `The rules hold ${JSON.stringify(value.slice(0, 40))}, which is no list of character classes.`);
  return parts.map(([, part = ""]) => {
    if (part.startsWith("[")) return part.slice(1, -1).replaceAll(/[^ -~]/g, "");
    const known = Object.hasOwn(identifiers, part.toLowerCase()) ? identifiers[part.toLowerCase()] : undefined;
    demand(known !== undefined, "password-malformed", `The rules name a class ${JSON.stringify(part.slice(0, 40))}, which is not known.`);
    return known;
  }).join("");
}

function numberIn(name: string, value: string): number {
  demand(/^[0-9]{1,6}$/.test(value), "password-malformed", `In the rules, ${name} must be a number.`);
  return Number(value);
}
