import { findPassword } from "../../../applications/passwords/find.ts";
import { type Password, passwordOf } from "../../../applications/passwords/password.ts";
import { readNamed } from "../../../client/catalog.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { printableLines } from "../../printable.ts";
import { cardOf } from "./card.ts";

/** `mesh password get`: the whole login as one document; with --field { field, value }. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const name = args.needText("NAME");
  const password = passwordOf(findPassword(await readNamed(await openClient(call, "offline"), "passwords", [name]), name));
  const hidden = output.toTerminal && !args.flag("reveal");
  if (output.toTerminal && !output.json && args.text("field") === undefined) return output.data(undefined, cardOf(password, hidden));

  const field = args.text("field") ?? "password";
  const wholeDocument = output.json && args.text("field") === undefined;
  const { values, secret } = wholeDocument ? { values: [], secret: true } : valuesOf(password, field);
  demand(!(hidden && secret), "secret-not-shown", "A secret goes to a terminal only on demand.", "Add --reveal, or send it to a file or a program.");
  const text = values.join("\n");
  output.data(wholeDocument ? documentOf(password) : { field, value: text }, output.toTerminal ? printableLines(text) : text);
}

/** Every member is there; what is absent is null. */
function documentOf(password: Password): Readonly<Record<string, unknown>> {
  const { id, name, username, sites, notes, totp, tags, fields } = password;
  return { id, name, username: username ?? null, password: password.password ?? null, sites, notes: notes ?? null, totp: totp ?? null, tags, fields };
}

/** A program that asks for what is not there must not take an empty line for it. */
function valuesOf(password: Password, field: string): { readonly values: readonly string[]; readonly secret: boolean } {
  const custom = password.fields.find((one) => one.name === field);
  const known: Readonly<Record<string, readonly (string | undefined)[]>> = {
    name: [password.name],
    username: [password.username],
    password: [password.password],
    site: password.sites,
    notes: [password.notes],
    totp: [password.totp],
    tag: password.tags,
  };
  const held = Object.hasOwn(known, field) ? (known[field] ?? []) : [custom?.value];
  const values = held.filter((value) => value !== undefined);
  if (values.length === 0) throw new MeshError("password-field-not-found", `${JSON.stringify(password.name)} has no ${field}.`, `See what it has: mesh password get ${JSON.stringify(password.name)}`);
  return { values, secret: Object.hasOwn(known, field) ? ["password", "notes", "totp"].includes(field) : (custom?.secret ?? true) };
}
