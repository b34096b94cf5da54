import { type Generated, generatePassphrase, generatePassword } from "../../../applications/passwords/generate.ts";
import { classes, type ClassName, parsePasswordRules, pinRules, rulesOf } from "../../../applications/passwords/rules.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Args } from "../../args.ts";

/** What says how to make a password, in the ways that exclude one another. */
const ways = { words: ["words", "separator"], pin: ["pin"], policy: ["policy", "length"], characters: ["length", "no-symbols", "classes", "min", "characters", "without"] } as const;
const all = [...new Set(Object.values(ways).flat())];

/** Whether anything was said of how to make a password. */
export function saysHow(args: Args): boolean {
  return all.some((name) => args.source(name) === "line");
}

/** Makes a password, passphrase or PIN as the options say. */
export function makeSecret(args: Args): Generated {
  const way = args.text("words") !== undefined ? "words" : args.text("pin") !== undefined ? "pin" : args.text("policy") !== undefined ? "policy" : "characters";
  const foreign = all.find((name) => args.source(name) === "line" && !(ways[way] as readonly string[]).includes(name));
  demand(foreign === undefined, "usage-options-conflict", `--${foreign} does not go with --${way === "characters" ? "length and the like" : way}.`, "Say one way to make a password.");
  if (way === "words") return generatePassphrase(args.number("words", 4, 32) ?? 6, args.text("separator") ?? "-");
  if (way === "pin") return generatePassword(pinRules(args.number("pin", 4, 64) ?? 6));
  const length = args.number("length", 8, 256);
  const policy = args.text("policy");
  if (policy !== undefined) return generatePassword(parsePasswordRules(policy, length));
  return generatePassword(rulesOf({ ...(length === undefined ? {} : { length }), classes: classesIn(args), least: leastIn(args), also: args.text("characters") ?? "", without: args.text("without") ?? "" }));
}

/** How hard a secret is to guess, in a phrase. */
export function strengthOf({ bits }: Generated): string {
  return `${bits} bits${bits < 40 ? ", which is little where guesses are not counted" : ""}`;
}

function classesIn(args: Args): readonly ClassName[] {
  const said = args.text("classes")?.split(",").map((one) => classNamed(one.trim(), "classes"));
  return [...new Set(said ?? (Object.keys(classes) as ClassName[]))].filter((one) => one !== "symbols" || !args.flag("no-symbols"));
}

function leastIn(args: Args): Partial<Record<ClassName, number>> {
  return Object.fromEntries(args.texts("min").map((one) => {
    const [name = "", number = ""] = one.split("=");
    demand(/^[0-9]{1,3}$/.test(number), "usage-option-value", "--min takes a class, an equals sign and a number: --min digits=2");
    return [classNamed(name, "min"), Number(number)];
  }));
}

function classNamed(name: string, option: string): ClassName {
  demand(Object.hasOwn(classes, name), "usage-option-value", `--${option} knows ${Object.keys(classes).join(", ")}, not ${JSON.stringify(name)}.`);
  return name as ClassName;
}
