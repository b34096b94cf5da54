import type { Option } from "./options.ts";

/** The options that every command has; `--help` and `--version` are the parser's own and not in the environment. */
export const globalOptions: readonly Option[] = [
  { name: "json", about: "print one JSON document on standard output" },
  { name: "no-input", about: "never ask; fail and say which option was missing" },
  { name: "passphrase-file", value: "F", about: "unlock with the one line in this file (- is standard input)" },
  { name: "home", value: "DIR", about: "this device's state; by default the XDG data directory" },
  { name: "no-agent", about: "neither ask the agent of this home nor leave the home unlocked in one" },
  { name: "strict", about: "exit 7 when the portal cannot be reached, even if all is saved here" },
];

/** How a switch of the environment is spelt. */
export function environmentName(option: string): string {
  return `MESH_${option.replaceAll("-", "_").toUpperCase()}`;
}
