import { MeshError } from "../../refusals/mesh-error.ts";
import { detailNames, isDetail, isSecretDetail, type Kind } from "./kinds.ts";
import type { Password } from "./password.ts";

/** What a program gets that asks for nothing in particular. */
export const mainField: Readonly<Record<Kind, string>> = { login: "password", note: "notes", card: "card.number", identity: "identity.last-name", "ssh-key": "ssh.private-key" };

/** A program that asks for what is not there must not take an empty line for it. */
export function valuesOf(password: Password, field: string): { readonly values: readonly string[]; readonly secret: boolean } {
  const custom = password.fields.find((one) => one.name === field);
  const known: Readonly<Record<string, readonly (string | undefined)[]>> = {
    name: [password.name],
    username: [password.username],
    password: [password.password],
    site: password.sites,
    notes: [password.notes],
    "totp-secret": [password.totp],
    tag: password.tags,
    folder: [password.folder],
    ...Object.fromEntries(detailNames.map((name) => [name, [password.details.find((detail) => detail.name === name)?.value]])),
  };
  const held = Object.hasOwn(known, field) ? (known[field] ?? []) : [custom?.value];
  const values = held.filter((value) => value !== undefined);
  if (values.length === 0) throw new MeshError("password-field-not-found", `${JSON.stringify(password.name)} has no ${field}.`, `See what it has: mesh password get ${JSON.stringify(password.name)}`);
  if (isDetail(field)) return { values, secret: isSecretDetail(field) };
  return { values, secret: Object.hasOwn(known, field) ? ["password", "notes", "totp-secret"].includes(field) : (custom?.secret ?? true) };
}
