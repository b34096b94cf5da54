import { MeshError } from "../refusals/mesh-error.ts";
import { environmentName } from "./globals.ts";
import type { Accepts, Option } from "./options.ts";

/** Where a value was said: on the command line, which counts first, or in the environment. */
export type Source = "line" | "environment";

/** What a command was given, by the names that its table declares; asking for another name is a mistake of the command's. */
export type Args = {
  /** An option's or an argument's text. */
  text(name: string): string | undefined;
  /** The text of an argument or option without which the command makes no sense; `usage-missing-argument` without it. */
  needText(name: string): string;
  /** All texts of what can be repeated. */
  texts(name: string): readonly string[];
  /** Whether a switch is on. */
  flag(name: string): boolean;
  /** A whole number from `least` to `most`; `usage-option-value` otherwise. */
  number(name: string, least: number, most: number): number | undefined;
  /** Where it was said, if it was. */
  source(name: string): Source | undefined;
};

/** Values by name; a switch that is on has one empty text. */
export type Values = ReadonlyMap<string, { readonly texts: readonly string[]; readonly source: Source }>;

/** Makes the typed view that a command reads. */
export function makeArgs(command: Accepts, globals: readonly Option[], values: Values): Args {
  const options = [...command.options, ...globals];
  const declared = new Set([...options, ...command.positionals].map((one) => one.name));
  const of = (name: string) => {
    if (!declared.has(name)) throw new TypeError(`\`mesh ${command.path.join(" ")}\` declares no ${name}.`);
    return values.get(name);
  };
  const text = (name: string): string | undefined => of(name)?.texts[0];
  return {
    text,
    needText: (name) => {
      const value = text(name);
      const option = options.find((one) => one.name === name);
      if (value === undefined) throw new MeshError("usage-missing-argument", `mesh ${command.path.join(" ")} needs ${option === undefined ? name : `--${name} ${option.value ?? ""}`}.`, `See: mesh ${command.path.join(" ")} --help`);
      return value;
    },
    texts: (name) => of(name)?.texts ?? [],
    flag: (name) => of(name) !== undefined,
    number: (name, least, most) => {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= least && number <= most) return number;
      const said = of(name)?.source === "environment" ? environmentName(name) : `--${name}`;
      throw new MeshError("usage-option-value", `${said} must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}.`);
    },
    source: (name) => of(name)?.source,
  };
}
