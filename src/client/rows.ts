import { toBase64url } from "../bytes/base64url.ts";
import { concatBytes } from "../bytes/equal.ts";
import { parseWritten } from "../bytes/json.ts";
import { ordinal } from "../bytes/ordinal.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { hmac } from "../crypto/digest.ts";
import { decryptUnder, encryptUnder } from "../envelope/keyed.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Reading, Store, Writing } from "../store/store.ts";

const SALT_OCTETS = 32;

/** A row's place: a shelf, a group on it, and within the group a name or a number (numbers list in their order). */
export type Item = string | number;

/** Which rows of a group are wanted. */
export type Part = { readonly after?: number; readonly limit?: number };

/** What can be read of a home (decision 11.1): every row is sealed by itself, every name is an HMAC. */
export interface RowsReading {
  get<T>(shelf: string, group: string, item?: Item): Promise<T | undefined>;
  /** A row that may be known already: what its octets begin with is another chance value each time that it is written. */
  peek<T>(shelf: string, group: string, item: Item): Promise<{ readonly mark: string; readonly open: () => T } | undefined>;
  /** As the store's: the same as long as nobody has changed anything. */
  version(): string | undefined;
  /** The rows of a group in their order; of numbered ones only those after `after`, at most `limit`. */
  list<T>(shelf: string, group: string, part?: Part): Promise<readonly { readonly row: T; readonly remove: (rows: RowsWriting) => Promise<void> }[]>;
}

/** What can be changed of a home, within one transaction. */
export interface RowsWriting extends RowsReading {
  put(shelf: string, group: string, item: Item, row: object): Promise<void>;
  remove(shelf: string, group: string, item: Item): Promise<void>;
}

/** What keys are derived from: a keyring. */
type Deriving = { derive(label: string): Promise<Uint8Array> };

type RowKeys = { readonly sealing: Uint8Array; readonly naming: Uint8Array };

/** The sealed rows of a home, over its store and keys derived from its keyring. */
export class Rows {
  readonly #store: Store;
  readonly #from: Deriving;
  #derived: Promise<RowKeys> | undefined;

  constructor(store: Store, from: Deriving) {
    this.#store = store;
    this.#from = from;
  }

  /** Reads one consistent state. */
  async read<T>(work: (rows: RowsReading) => Promise<T>): Promise<T> {
    const keys = await this.#keys();
    return this.#store.read((reading) => work(readingOf(reading, keys)));
  }

  /** Changes rows, all or none, durably. */
  async transact<T>(work: (rows: RowsWriting) => Promise<T>): Promise<T> {
    const keys = await this.#keys();
    return this.#store.transact((writing) => work(writingOf(writing, keys)));
  }

  /** Asked for once; and again where the keyring could not tell. */
  #keys(): Promise<RowKeys> {
    this.#derived ??= Promise.all([this.#from.derive("mesh/home/rows/v1"), this.#from.derive("mesh/home/names/v1")]).then(
      ([sealing, naming]) => ({ sealing, naming }),
      (error: unknown) => {
        this.#derived = undefined;
        throw error;
      },
    );
    return this.#derived;
  }
}

function readingOf(reading: Reading, keys: RowKeys): RowsReading {
  return {
    get: async <T>(shelf: string, group: string, item: Item = "") => {
      const key = keyOf(keys, shelf, group, item);
      const octets = await reading.get(shelf, key);
      return octets === undefined ? undefined : opened<T>(keys, shelf, key, octets);
    },
    peek: async <T>(shelf: string, group: string, item: Item) => {
      const key = keyOf(keys, shelf, group, item);
      const octets = await reading.get(shelf, key);
      return octets === undefined ? undefined : { mark: octets.subarray(0, SALT_OCTETS).toHex(), open: () => opened<T>(keys, shelf, key, octets) };
    },
    version: () => reading.version?.(),
    list: async <T>(shelf: string, group: string, { after, limit }: Part = {}) => {
      const prefix = `${nameOf(keys, shelf, group)}/`;
      const entries = await reading.list(shelf, prefix, { ...(after === undefined ? {} : { after: prefix + ordinal(after) }), ...(limit === undefined ? {} : { limit }) });
      return entries.map(({ key, value }) => ({ row: opened<T>(keys, shelf, key, value), remove: (rows: RowsWriting) => (rows as RawWriting).removeKey(shelf, key) }));
    },
  };
}

function writingOf(writing: Writing, keys: RowKeys): RowsWriting {
  const raw: RawWriting = {
    ...readingOf(writing, keys),
    put: (shelf, group, item, row) => {
      const key = keyOf(keys, shelf, group, item);
      const { salt, ciphertext } = encryptUnder(keys.sealing, `${shelf}/${key}`, utf8(JSON.stringify(row)));
      return writing.put(shelf, key, concatBytes(salt, ciphertext));
    },
    remove: (shelf, group, item) => writing.remove(shelf, keyOf(keys, shelf, group, item)),
    removeKey: (shelf, key) => writing.remove(shelf, key),
  };
  return raw;
}

function opened<T>(keys: RowKeys, shelf: string, key: string, octets: Uint8Array): T {
  const plaintext = decryptUnder(keys.sealing, `${shelf}/${key}`, octets.subarray(0, SALT_OCTETS), octets.subarray(SALT_OCTETS));
  if (plaintext === undefined) throw new MeshError("home-damaged", "A row of this home was changed or belongs to another home.", "Run `mesh doctor`.");
  // Ours, since it opened: it needs no strict reader.
  return parseWritten(fromUtf8(plaintext)) as T;
}

function keyOf(keys: RowKeys, shelf: string, group: string, item: Item): string {
  return `${nameOf(keys, shelf, group)}/${typeof item === "number" ? ordinal(item) : nameOf(keys, shelf, `${group}/${item}`)}`;
}

function nameOf(keys: RowKeys, shelf: string, name: string): string {
  return toBase64url(hmac(keys.naming, utf8(`${shelf}\0${name}`)).subarray(0, 18));
}

type RawWriting = RowsWriting & { removeKey(shelf: string, key: string): Promise<void> };
