import type { CustomField } from "../../../applications/passwords/password.ts";
import type { Edits } from "../../../applications/passwords/edit.ts";
import { DEFAULT_LENGTH, generatePassword } from "../../../applications/passwords/generate.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";

/** What the options of `add` and `edit` say to write; the password is read or made here, but not yet asked for. */
export async function editsFrom({ args, input }: Call): Promise<Edits> {
  const generate = args.flag("generate");
  demand(!(generate && args.text("password-file") !== undefined), "usage-options-conflict", "--generate and --password-file are two ways to say the password.", "Give one of them.");
  demand(generate || (args.text("length") === undefined && !args.flag("no-symbols")), "usage-options-conflict", "--length and --no-symbols say how to make a password.", "Add --generate.");
  const password = generate ? generatePassword({ length: args.number("length", 8, 256) ?? DEFAULT_LENGTH, symbols: !args.flag("no-symbols") }) : await input.secretFile("password-file");
  const [username, notes, totp] = [args.text("username"), args.text("notes-file"), await input.secretFile("totp-file")];
  const setFields: CustomField[] = args.texts("set").map((one) => ({ ...split(one, "set"), secret: false }));
  for (const one of args.texts("set-file")) {
    const { name, value } = split(one, "set-file");
    setFields.push({ name, value: await input.secretFrom(value), secret: true });
  }
  return {
    addSites: args.texts("site"),
    addTags: args.texts("tag"),
    setFields,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(notes === undefined ? {} : { notes: input.textFrom(notes) }),
    ...(totp === undefined ? {} : { totp }),
  };
}

function split(text: string, option: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf("=");
  demand(at > 0, "usage-option-value", `--${option} takes a name, an equals sign and a value.`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
