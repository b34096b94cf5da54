import type { ItemText } from "./item.ts";
import type { Kind } from "../kinds.ts";

/** The kinds of Bitwarden's items by their number; the member of an item that holds what only they have. */
export const bitwardenKinds: readonly { readonly type: number; readonly kind: Kind; readonly member: string }[] = [
  { type: 1, kind: "login", member: "login" },
  { type: 2, kind: "note", member: "secureNote" },
  { type: 3, kind: "card", member: "card" },
  { type: 4, kind: "identity", member: "identity" },
  { type: 5, kind: "ssh-key", member: "sshKey" },
];

/** Which of our texts each member of such a part is, in the order in which Bitwarden writes them. */
export const bitwardenTexts: Readonly<Record<string, readonly (readonly [string, ItemText])[]>> = {
  login: [
    ["username", "username"],
    ["password", "password"],
    ["totp", "totp"],
  ],
  secureNote: [],
  card: [
    ["cardholderName", "card.holder"],
    ["brand", "card.brand"],
    ["number", "card.number"],
    ["expMonth", "card.expires-month"],
    ["expYear", "card.expires-year"],
    ["code", "card.code"],
  ],
  identity: [
    ["title", "identity.title"],
    ["firstName", "identity.first-name"],
    ["middleName", "identity.middle-name"],
    ["lastName", "identity.last-name"],
    ["address1", "identity.address-1"],
    ["address2", "identity.address-2"],
    ["address3", "identity.address-3"],
    ["city", "identity.city"],
    ["state", "identity.state"],
    ["postalCode", "identity.postal-code"],
    ["country", "identity.country"],
    ["company", "identity.company"],
    ["email", "identity.email"],
    ["phone", "identity.phone"],
    ["ssn", "identity.ssn"],
    ["username", "identity.username"],
    ["passportNumber", "identity.passport"],
    ["licenseNumber", "identity.license"],
  ],
  sshKey: [
    ["privateKey", "ssh.private-key"],
    ["publicKey", "ssh.public-key"],
    ["keyFingerprint", "ssh.fingerprint"],
  ],
};

/** Members of which we have our own idea, so that they are never kept besides. */
export const bitwardenKnown: ReadonlySet<string> = new Set(["type", "name", "notes", "favorite", "fields", "folderId", "passwordHistory", "creationDate", "revisionDate"]);

/** What a member says where it says nothing: not worth keeping. */
export const bitwardenDefaults: Readonly<Record<string, unknown>> = { reprompt: 0, secureNote: undefined };

/** Members that are kept and not worth a word: identifiers and times. */
export const bitwardenDull: ReadonlySet<string> = new Set(["id", "passwordRevisionDate"]);
