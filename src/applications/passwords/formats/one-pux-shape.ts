import type { Json } from "../../../bytes/canonical-json.ts";
import type { Kind } from "../kinds.ts";
import { isObject, type ItemText, type JsonObject } from "./item.ts";

/** What 1Password's categories are here; the others are logins with fields of their own, their category kept. */
export const categoryKinds: ReadonlyMap<string, Kind> = new Map([["001", "login"], ["002", "card"], ["003", "note"], ["004", "identity"], ["005", "login"], ["114", "ssh-key"]]);

/** Members that are kept and not worth a word: identifiers, what is shown in lists, measures of strength. */
export const dullMembers: ReadonlySet<string> = new Set(["uuid", "subtitle", "icons", "ps", "pbe", "pgrng", "watchtowerExclusions"]);

/** Which of our texts a field of a category is, by its identifier. */
const knownFields: Readonly<Partial<Record<Kind, Readonly<Record<string, ItemText>>>>> = {
  card: { cardholder: "card.holder", type: "card.brand", ccnum: "card.number", cvv: "card.code" },
  identity: { firstname: "identity.first-name", initial: "identity.middle-name", lastname: "identity.last-name", username: "identity.username", company: "identity.company", email: "identity.email", defphone: "identity.phone" },
};

/** As `knownFields`, of the categories that have no kind here: servers, databases, mail accounts, routers. */
const otherFields: Readonly<Record<string, ItemText>> = { username: "username", password: "password" };

/** The texts that a field of a section is here, as far as it is nothing else; undefined for a field of its owner's. */
export function textsOfField(kind: Kind | undefined, field: JsonObject): readonly (readonly [ItemText, string])[] | undefined {
  const id = String(field["id"]);
  const value = isObject(field["value"]) ? field["value"] : {};
  const { text, raw } = fieldText(value);
  if (typeof value["totp"] === "string") return text === "" ? undefined : [["totp", text]];
  if (isObject(value["sshKey"])) return sshTexts(value["sshKey"]);
  if (kind === "card" && id === "expiry" && typeof value["monthYear"] === "number") return [["card.expires-month", String(value["monthYear"] % 100)], ["card.expires-year", String(Math.floor(value["monthYear"] / 100))]];
  if (kind === "identity" && id === "address" && isObject(value["address"])) return addressTexts(value["address"]);
  const names = kind === undefined ? otherFields : knownFields[kind];
  const name = names !== undefined && Object.hasOwn(names, id) ? names[id] : undefined;
  return name === undefined || raw !== null || text === "" ? undefined : [[name, text]];
}

function sshTexts(key: JsonObject): readonly (readonly [ItemText, string])[] {
  const about = isObject(key["metadata"]) ? key["metadata"] : {};
  return ([["ssh.private-key", key["privateKey"]], ["ssh.public-key", about["publicKey"]], ["ssh.fingerprint", about["fingerprint"]]] as const).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
}

function addressTexts(address: JsonObject): readonly (readonly [ItemText, string])[] {
  return ([["identity.address-1", "street"], ["identity.city", "city"], ["identity.state", "state"], ["identity.postal-code", "zip"], ["identity.country", "country"]] as const).flatMap(([name, member]) => {
    const value = address[member];
    return typeof value === "string" && value !== "" ? [[name, value] as const] : [];
  });
}

const secretKinds = new Set(["concealed", "totp", "creditCardNumber"]);

/** A value of a field, `{ kind: value }`: its kind, the text that people see, and the value itself where that text does not say all of it. */
export function fieldText(value: Json | undefined): { readonly kind: string; readonly text: string; readonly secret: boolean; readonly raw: Json } {
  const [kind, held] = isObject(value) ? (Object.entries(value)[0] ?? ["", null]) : ["", value ?? null];
  const secret = secretKinds.has(kind);
  const told = (text: string): ReturnType<typeof fieldText> => ({ kind, text, secret, raw: held });
  if (held === null || typeof held === "string") return { ...told(held ?? ""), raw: null };
  // A day is the noon of it in seconds since 1970; a month is a number like 202912.
  if (kind === "date" && typeof held === "number" && Math.abs(held) < 8.64e12) return told(new Date(held * 1000).toISOString().slice(0, 10));
  if (kind === "monthYear" && typeof held === "number") return told(`${Math.floor(held / 100)}-${String(held % 100).padStart(2, "0")}`);
  if (!isObject(held)) return told(JSON.stringify(held));
  const texts = Object.values(held).filter((one) => typeof one === "string" && one !== "");
  return typeof held["email_address"] === "string" ? { ...told(held["email_address"]), raw: texts.length > 1 ? held : null } : told(texts.join("\n"));
}
