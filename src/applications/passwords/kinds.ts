/** What an entry is; a login where it does not say. Passkeys are parts of a login, not a kind. */
export const kinds = ["login", "note", "card", "identity", "ssh-key"] as const;
export type Kind = (typeof kinds)[number];

/** How people are told of a kind: one, and several. */
export const kindWords: Readonly<Record<Kind, readonly [string, string]>> = {
  login: ["login", "logins"],
  note: ["note", "notes"],
  card: ["card", "cards"],
  identity: ["identity", "identities"],
  "ssh-key": ["SSH key", "SSH keys"],
};

/** One text of a card, an identity or an SSH key. */
type Detail = { readonly label: string; readonly secret?: true };

/**
 * The texts that only some kinds have, by the field of the entry that holds each (docs/spec/passwords.md 2).
 *
 * Each is a field of its own, because merging is per field: one device may correct the number while another corrects the year.
 */
export const details = {
  "card.holder": { label: "Card holder" },
  "card.brand": { label: "Brand" },
  "card.number": { label: "Card number", secret: true },
  "card.expires-month": { label: "Expires, month" },
  "card.expires-year": { label: "Expires, year" },
  "card.code": { label: "Security code", secret: true },
  "identity.title": { label: "Title" },
  "identity.first-name": { label: "First name" },
  "identity.middle-name": { label: "Middle name" },
  "identity.last-name": { label: "Last name" },
  "identity.username": { label: "Name used" },
  "identity.company": { label: "Company" },
  "identity.email": { label: "Email" },
  "identity.phone": { label: "Phone" },
  "identity.address-1": { label: "Address" },
  "identity.address-2": { label: "Address, line 2" },
  "identity.address-3": { label: "Address, line 3" },
  "identity.city": { label: "City" },
  "identity.state": { label: "State" },
  "identity.postal-code": { label: "Postal code" },
  "identity.country": { label: "Country" },
  "identity.ssn": { label: "Social security number", secret: true },
  "identity.passport": { label: "Passport number", secret: true },
  "identity.license": { label: "Licence number", secret: true },
  "ssh.private-key": { label: "Private key", secret: true },
  "ssh.public-key": { label: "Public key" },
  "ssh.fingerprint": { label: "Fingerprint" },
} as const satisfies Readonly<Record<string, Detail>>;
export type DetailName = keyof typeof details;

export const detailNames = Object.keys(details) as readonly DetailName[];

/** Whether a text names a field of `details`. */
export function isDetail(name: string): name is DetailName {
  return Object.hasOwn(details, name);
}

/** Whether the text of a detail is shown only on demand. */
export function isSecretDetail(name: DetailName): boolean {
  return (details[name] as Detail).secret === true;
}
