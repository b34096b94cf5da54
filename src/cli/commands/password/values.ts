import type { CustomField } from "../../../applications/passwords/password.ts";
import type { Edits } from "../../../applications/passwords/edit.ts";
import type { Generated } from "../../../applications/passwords/generate.ts";
import { readOneTime } from "../../../applications/passwords/one-time.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { makeSecret, saysHow } from "./make.ts";

/** What the options of `add` and `edit` say to write; the password is read or `made` here, but not yet asked for. */
export async function editsFrom({ args, input }: Call): Promise<{ readonly edits: Edits; readonly made: Generated | undefined }> {
  const generate = args.flag("generate");
  demand(!(generate && args.text("password-file") !== undefined), "usage-options-conflict", "--generate and --password-file are two ways to say the password.", "Give one of them.");
  demand(generate || !saysHow(args), "usage-options-conflict", "Something was said of how to make a password, but not to make one.", "Add --generate.");
  const made = generate ? makeSecret(args) : undefined;
  const password = made?.secret ?? (await input.secretFile("password-file"));
  const [username, notes, totp] = [args.text("username"), args.text("notes-file"), await input.secretFile("totp-file")];
  const folder = args.text("folder");
  const setFields: CustomField[] = args.texts("set").map((one) => ({ ...split(one, "set"), secret: false }));
  for (const one of args.texts("set-file")) {
    const { name, value } = split(one, "set-file");
    setFields.push({ name, value: await input.secretFrom(value), secret: true });
  }
  // Kept as it was given, but not if no code would ever come of it.
  if (totp !== undefined) readOneTime(totp);
  const edits = {
    addSites: args.texts("site"),
    addTags: args.texts("tag"),
    setFields,
    ...(username === undefined ? {} : { username }),
    ...(folder === undefined ? {} : { folder }),
    ...(password === undefined ? {} : { password }),
    ...(notes === undefined ? {} : { notes: input.textFrom(notes) }),
    ...(totp === undefined ? {} : { totp }),
  };
  return { edits, made };
}

function split(text: string, option: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf("=");
  demand(at > 0, "usage-option-value", `--${option} takes a name, an equals sign and a value.`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
