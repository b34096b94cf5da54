import { demand } from "../../refusals/mesh-error.ts";

/** Octets of UTF-8, or for lists their length, that a login may have; more is refused when it is written, never when it is read. */
export const limits = {
  name: 256,
  username: 1024,
  password: 8192,
  site: 2048,
  tag: 64,
  notes: 65_536,
  totp: 2048,
  folder: 1024,
  /** One text of a card, an identity or an SSH key. */
  detail: 16_384,
  /** Earlier passwords that an importer brings. */
  past: 1000,
  fieldName: 256,
  fieldValue: 8192,
  sites: 64,
  tags: 64,
  fields: 64,
  attachments: 64,
  /** Octets of one attachment. */
  attachment: 10 * 1024 * 1024,
  /** All that one edit writes, as canonical JSON: it must fit one commit with room to spare. */
  change: 256 * 1024,
} as const;

/** One line for people: trimmed and in one spelling (NFC), since it is what they type to find the entry again. */
export function checkLabel(value: string, most: number, what: string): string {
  const label = value.trim().normalize("NFC");
  demand(label !== "", "password-malformed", `${what} is empty.`);
  return checkLine(label, most, what);
}

/** One line, kept as it is. */
export function checkLine(value: string, most: number, what: string): string {
  demand(!/\p{Cc}/u.test(value), "password-malformed", `${what} holds a line break or another control character.`);
  return checkText(value, most, what);
}

/** Any text, kept as it is; its value never gets into the message. */
export function checkText(value: string, most: number, what: string): string {
  demand(value.isWellFormed(), "password-malformed", `${what} is not well-formed Unicode.`);
  // An octet costs at most three times a UTF-16 unit, so most values need no encoding to be measured.
  const fits = value.length * 3 <= most || new TextEncoder().encode(value).length <= most;
  demand(fits, "password-malformed", `${what} is longer than ${most} octets.`);
  return value;
}
