import { fromBase64url } from "../../src/bytes/base64url.ts";
import { concatBytes } from "../../src/bytes/equal.ts";
import { parseJson } from "../../src/bytes/json.ts";
import { utf8 } from "../../src/bytes/text.ts";
import { hkdf, sha512 } from "../../src/crypto/digest.ts";
import { decapsulate } from "../../src/crypto/encapsulate.ts";
import { decryptGcm, unwrapKey } from "../../src/crypto/encrypt.ts";
import { decapsulationKeyFromPkcs8 } from "../../src/crypto/key-encoding.ts";
import type { DecapsulationKey } from "../../src/crypto/key-pair.ts";
import { decryptUnder } from "../../src/envelope/keyed.ts";
import type { OpenKeyring } from "../../src/keyring/keyring.ts";
import { shelf } from "../../src/portal/records.ts";
import type { Store } from "../../src/store/store.ts";

/** Everything that a store of a portal holds, row by row. */
export async function rowsOf(store: Store): Promise<readonly Uint8Array[]> {
  const lists = await Promise.all(Object.values(shelf).map((name) => store.read((r) => r.list(name, ""))));
  return lists.flat().flatMap(({ key, value }) => [utf8(key), value]);
}

/** Every key of a keyring that opens anything. */
export async function keysOf(keyring: OpenKeyring): Promise<readonly DecapsulationKey[]> {
  const keys: DecapsulationKey[] = [];
  for (const { id } of await keyring.list()) {
    const secret = await keyring.open(id);
    try {
      keys.push(decapsulationKeyFromPkcs8(secret));
    } catch {
      // A signature key or a scalar: nothing is encrypted to it.
    }
  }
  return keys;
}

type Object = { readonly [name: string]: unknown };
type Sealed = { readonly protected: string; readonly iv: string; readonly ciphertext: string; readonly tag: string; readonly recipients: readonly { readonly encrypted_key: string; readonly header: { readonly ek: string; readonly kid: string } }[] };
type Keyed = { readonly salt: string; readonly ciphertext: string };

/** All objects in stored octets, those inside the payloads of signed ones and of their embedded ones too. */
function objectsIn(value: unknown): readonly Object[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  const payload = (value as Object)["payload"];
  return [value as Object, ...inner, ...(typeof payload === "string" ? parsed(payload) : [])];
}

function parsed(text: string): readonly Object[] {
  try {
    return objectsIn(parseJson(fromBase64url(text), { maxBytes: 8 << 20 }));
  } catch {
    return [];
  }
}

/**
 * Searches a portal's whole database with all keys that somebody has: every key against every recipient of everything sealed, whoever it
 * is for, and every key that this yields against everything encrypted, until nothing new opens. Returns all octets that opened.
 *
 * Written from the specification of sealed objects, not with the code that is under test: it asks nobody whether a key is the right one.
 */
export async function everythingOpenedBy(keys: readonly DecapsulationKey[], shared: readonly Uint8Array[], rows: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const objects = rows.flatMap((row) => {
    try {
      return objectsIn(parseJson(row, { maxBytes: 8 << 20 }));
    } catch {
      return [];
    }
  });
  const opened: Uint8Array[] = [];
  const known = new Map<string, Uint8Array>(shared.map((key) => [key.toHex(), key]));
  const found = (octets: Uint8Array): void => {
    opened.push(octets);
    if (octets.length === 32) known.set(octets.toHex(), octets);
  };
  for (const sealed of objects.filter(isSealed)) for (const key of keys) for (const octets of await unsealed(sealed, key)) found(octets);
  for (let size = -1; size !== known.size; ) {
    size = known.size;
    for (const one of objects) for (const octets of [...known.values()].flatMap((key) => decrypted(one, key, rows))) found(octets);
  }
  return opened;
}

function isSealed(one: Object): one is Object & Sealed {
  return Array.isArray(one["recipients"]) && typeof one["protected"] === "string" && typeof one["iv"] === "string";
}

async function unsealed(sealed: Sealed, key: DecapsulationKey): Promise<readonly Uint8Array[]> {
  const opened: Uint8Array[] = [];
  const header = fromBase64url(sealed.protected);
  for (const { encrypted_key, header: { ek, kid } } of sealed.recipients) {
    const octets = fromBase64url(ek);
    const secret = await decapsulate(key, octets).catch(() => undefined);
    if (secret === undefined) continue;
    const wrapping = hkdf(secret, sha512(header), concatBytes(utf8(`mesh/jwe/kek/v1\0MLKEM1024-X448+A256KW\0${kid}\0`), sha512(octets)), 32);
    const contentKey = unwrapKey(wrapping, fromBase64url(encrypted_key));
    const plaintext = contentKey === undefined ? undefined : decryptGcm(contentKey, fromBase64url(sealed.iv), concatBytes(fromBase64url(sealed.ciphertext), fromBase64url(sealed.tag)), utf8(sealed.protected));
    if (plaintext !== undefined) opened.push(plaintext);
  }
  return opened;
}

/** What one 32-octet key opens of a signed payload: its entries, the key of the epoch before, an Application Profile's private part. */
function decrypted(one: Object, key: Uint8Array, rows: readonly Uint8Array[]): readonly Uint8Array[] {
  const { catalog, epoch, salt, kind, size, previousEpoch, previousKey, sealed, id, version } = one;
  if (kind === "entries" && typeof salt === "string") {
    const bodies = rows.filter((row) => row.length === size);
    return bodies.flatMap((body) => decryptUnder(key, `mesh/entries/v1/${String(catalog)}/${String(epoch)}`, fromBase64url(salt), body) ?? []);
  }
  if (kind === "epoch" && isKeyed(previousKey)) return under(key, `mesh/previous-epoch/v1/${String(catalog)}/${Number(previousEpoch ?? Number(epoch) - 1)}`, previousKey);
  return isKeyed(sealed) ? under(key, `mesh/application/v1/${String(id)}/${String(version)}/${String(epoch)}`, sealed) : [];
}

function isKeyed(value: unknown): value is Keyed {
  return typeof value === "object" && value !== null && "salt" in value && "ciphertext" in value;
}

function under(key: Uint8Array, purpose: string, { salt, ciphertext }: Keyed): readonly Uint8Array[] {
  const opened = decryptUnder(key, purpose, fromBase64url(salt), fromBase64url(ciphertext));
  return opened === undefined ? [] : [opened];
}

/** Whether a text stands in any of the octets. */
export function holds(octets: readonly Uint8Array[], text: string): boolean {
  return octets.some((one) => Buffer.from(one).includes(text));
}
