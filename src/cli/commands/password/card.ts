import { details, isSecretDetail, kindWords } from "../../../applications/passwords/kinds.ts";
import type { Password } from "../../../applications/passwords/password.ts";
import { padTo, widthOf } from "../../columns.ts";
import { printable, printableLines } from "../../printable.ts";

const HIDDEN = "••••••••";

/** A login for a person's eyes: a line a field, secrets as dots where they are hidden. */
export function cardOf(password: Password, hidden: boolean, attachments: readonly string[] = []): string {
  const secret = (value: string | undefined): string | undefined => (value === undefined ? undefined : hidden ? HIDDEN : printable(value));
  const open = (value: string | undefined): string | undefined => (value === undefined ? undefined : printable(value));
  const notes = password.notes === undefined ? undefined : hidden ? HIDDEN : printableLines(password.notes);
  const lines: (readonly [string, string | undefined])[] = [
    ["Name", printable(password.name)],
    ["Kind", password.kind === "login" ? undefined : kindWords[password.kind][0]],
    ["User name", open(password.username)],
    ["Password", secret(password.password)],
    ...password.sites.map((site, index): [string, string] => [index === 0 ? "Sites" : "", printable(site)]),
    ["One-time codes", secret(password.totp)],
    ...password.details.map(({ name, value }): [string, string | undefined] => [details[name].label, !isSecretDetail(name) ? printableLines(value) : hidden ? HIDDEN : printableLines(value)]),
    ["Passkeys", password.passkeys === 0 ? undefined : `${password.passkeys} kept, for export`],
    ["Folder", open(password.folder)],
    ["Tags", password.tags.length === 0 ? undefined : password.tags.map(printable).join(", ")],
    ...password.fields.map((field): [string, string | undefined] => [printable(field.name), field.secret ? secret(field.value) : open(field.value)]),
    ...attachments.map((name, index): [string, string] => [index === 0 ? "Attachments" : "", printable(name)]),
    ["Notes", notes],
  ];
  const shown = lines.filter((line): line is readonly [string, string] => line[1] !== undefined);
  const width = Math.max(...shown.map(([label]) => widthOf(label)));
  const text = shown.map(([label, value]) => `${padTo(label, width)}  ${value.replaceAll("\n", `\n${" ".repeat(width + 2)}`)}`).join("\n");
  return shown.some(([, value]) => value === HIDDEN) ? `${text}\n\n--reveal shows what is hidden.` : text;
}
