import { attachmentsOf } from "../../../applications/passwords/attachment.ts";
import { mainField, valuesOf } from "../../../applications/passwords/field.ts";
import { findPassword } from "../../../applications/passwords/find.ts";
import { type Code, codeAt, readOneTime } from "../../../applications/passwords/one-time.ts";
import { type Password, passwordOf } from "../../../applications/passwords/password.ts";
import { readNamed } from "../../../client/catalog.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { printableLines } from "../../printable.ts";
import { cardOf } from "./card.ts";

/** `mesh password get`: the whole login as one document; with --field { field, value }, for a one-time code with `secondsLeft`. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const name = args.needText("NAME");
  const entry = findPassword(await readNamed(await openClient(call, "offline"), "passwords", [name]), name);
  const password = passwordOf(entry);
  const attachments = attachmentsOf(entry).map((one) => ({ name: one.name, size: one.size }));
  const hidden = output.toTerminal && !args.flag("reveal");
  if (output.toTerminal && !output.json && args.text("field") === undefined) return output.data(undefined, cardOf(password, hidden, attachments.map((one) => one.name)));
  if (args.text("field") === "totp") return showCode(call, password);

  const field = args.text("field") ?? mainField[password.kind];
  const wholeDocument = output.json && args.text("field") === undefined;
  const { values, secret } = wholeDocument ? { values: [], secret: true } : valuesOf(password, field);
  demand(!(hidden && secret), "secret-not-shown", "A secret goes to a terminal only on demand.", "Add --reveal, or send it to a file or a program.");
  const text = values.join("\n");
  output.data(wholeDocument ? { ...documentOf(password, call.world.now()), attachments } : { field, value: text }, output.toTerminal ? printableLines(text) : text);
}

/** A code is shown to a terminal too: people type it from there, and in a minute it is worth nothing. */
function showCode({ output, world }: Call, password: Password): void {
  demand(password.totp !== undefined, "password-field-not-found", `${JSON.stringify(password.name)} has no secret for one-time codes.`, `Add it: mesh password edit ${JSON.stringify(password.name)} --totp-file F`);
  const { code, secondsLeft } = codeAt(readOneTime(password.totp), world.now());
  output.data({ field: "totp", value: code, secondsLeft }, code);
  output.note(`It holds for ${secondsLeft} second${secondsLeft === 1 ? "" : "s"}.`);
}

/** Every member is there; what is absent is null, and so is the code where what is kept gives none. */
function documentOf(password: Password, now: number): Readonly<Record<string, unknown>> {
  const { id, kind, name, username, sites, notes, totp, folder, tags, favorite, fields, passkeys } = password;
  const details = Object.fromEntries(password.details.map((detail) => [detail.name, detail.value]));
  return { id, kind, name, username: username ?? null, password: password.password ?? null, sites, notes: notes ?? null, totp: codeOf(totp, now), totpSecret: totp ?? null, folder: folder ?? null, tags, favorite, fields, details, passkeys };
}

function codeOf(kept: string | undefined, now: number): Code | null {
  try {
    return kept === undefined ? null : codeAt(readOneTime(kept), now);
  } catch (error) {
    if (error instanceof MeshError) return null;
    throw error;
  }
}
