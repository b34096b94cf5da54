import { existsSync } from "node:fs";

import { wipe } from "../bytes/equal.ts";
import { randomBytes } from "../crypto/random.ts";
import { keyedUnder, openKeyed } from "../envelope/keyed.ts";
import { replaceFile } from "../machine/replace-file.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { demandAuthentic, keyringOctets, type KeyringFile, type Lock, type Read, readKeyringFile, stampAt, translate } from "./file-format.ts";
import { withFileLock } from "./file-lock.ts";
import type { Keyring, KeyringEntry } from "./keyring.ts";
import { lockRoot, type PassphraseOptions, unlockRoot } from "./passphrase.ts";
import { closed, derived, keyMissing, newEntries, ROOT_OCTETS } from "./secrets.ts";

/** Makes an empty keyring, under a passphrase or readable; `keyring-exists` if there is a file. Its folder must be there, 0700. */
export async function createKeyringFile(path: string, passphrase: Uint8Array | undefined, options: PassphraseOptions = {}): Promise<Keyring> {
  const root = randomBytes(ROOT_OCTETS);
  const lock = await lockRoot(root, passphrase, options);
  await changing(path, async () => {
    if (existsSync(path)) throw new MeshError("keyring-exists", `There is a keyring at ${path} already.`);
    write(path, root, lock, []);
  });
  return new FileKeyring(path, root, readKeyringFile(path));
}

/** Opens a keyring; errors as `readKeyringFile` and `unlockRoot`. */
export async function openKeyringFile(path: string, passphrase: Uint8Array | undefined, options: PassphraseOptions = {}): Promise<Keyring> {
  const read = readKeyringFile(path);
  const root = await unlockRoot(read.file.lock, passphrase, options);
  demandAuthentic(path, read.file, root);
  return new FileKeyring(path, root, read);
}

/** Puts the random key under another passphrase, in one step; the secrets stay as they are sealed. */
export async function changePassphrase(path: string, old: Uint8Array | undefined, next: Uint8Array | undefined, options: PassphraseOptions = {}): Promise<void> {
  const root = await unlockRoot(readKeyringFile(path).file.lock, old, options);
  try {
    const lock = await lockRoot(root, next, options);
    await changing(path, async () => {
      const { file } = readKeyringFile(path);
      demandAuthentic(path, file, root);
      write(path, root, lock, file.secrets);
    });
  } finally {
    wipe(root);
  }
}

/** Whether opening it takes a passphrase. */
export async function keyringNeedsPassphrase(path: string): Promise<boolean> {
  return readKeyringFile(path).file.lock.name !== "none";
}

/** A keyring in a file; what another process changed is read when the file is another one. */
class FileKeyring implements Keyring {
  readonly #path: string;
  readonly #root: Uint8Array;
  #read: Read;
  #closed = false;

  constructor(path: string, root: Uint8Array, read: Read) {
    this.#path = path;
    this.#root = root;
    this.#read = read;
  }

  list() {
    return this.#current().secrets.map(({ id, purpose }) => ({ id, purpose }));
  }

  has(id: string): boolean {
    return this.#current().secrets.some((one) => one.id === id);
  }

  async open(id: string): Promise<Uint8Array> {
    const secret = this.#opened(this.#current(), id)?.secret;
    if (secret === undefined) throw keyMissing(id);
    return secret;
  }

  add(id: string, purpose: string, secret: Uint8Array): Promise<void> {
    return this.addAll([{ id, purpose, secret }]);
  }

  async addAll(entries: readonly KeyringEntry[]): Promise<void> {
    await this.#change((file) => {
      const fresh = newEntries(entries, (id) => this.#opened(file, id));
      return [...file.secrets, ...fresh.map(({ id, purpose, secret }) => ({ id, purpose, sealed: keyedUnder(this.#sealingKey(), labelOf(id, purpose), secret) }))];
    });
  }

  async remove(id: string): Promise<void> {
    await this.#change((file) => file.secrets.filter((one) => one.id !== id));
  }

  derive(label: string, length = 32): Uint8Array {
    this.#demandOpen();
    return derived(this.#root, `derive/${label}`, length);
  }

  close(): void {
    wipe(this.#root);
    this.#closed = true;
  }

  #current(): KeyringFile {
    this.#demandOpen();
    if (stampAt(this.#path) !== this.#read.stamp) {
      const read = readKeyringFile(this.#path);
      demandAuthentic(this.#path, read.file, this.#root);
      this.#read = read;
    }
    return this.#read.file;
  }

  #opened(file: KeyringFile, id: string): { readonly purpose: string; readonly secret: Uint8Array } | undefined {
    const one = file.secrets.find((each) => each.id === id);
    if (one === undefined) return undefined;
    const secret = openKeyed(this.#sealingKey(), labelOf(one.id, one.purpose), one.sealed);
    if (secret === undefined) throw new MeshError("keyring-damaged", `The keyring ${this.#path} is damaged: a key in it does not open.`);
    return { purpose: one.purpose, secret };
  }

  async #change(change: (file: KeyringFile) => KeyringFile["secrets"]): Promise<void> {
    await changing(this.#path, async () => {
      const file = this.#current();
      write(this.#path, this.#root, file.lock, change(file));
    });
  }

  #sealingKey(): Uint8Array {
    return derived(this.#root, "seal", 32);
  }

  #demandOpen(): void {
    if (this.#closed) throw closed();
  }
}

function labelOf(id: string, purpose: string): string {
  return `mesh/keyring/v1/secret\0${purpose}\0${id}`;
}

function write(path: string, root: Uint8Array, lock: Lock, secrets: KeyringFile["secrets"]): void {
  replaceFile(path, keyringOctets(root, lock, secrets));
}

/** Does a change while nobody else does one; errors of the file system become the keyring's own. */
async function changing<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await withFileLock(path, act);
  } catch (error) {
    throw translate(error, path);
  }
}
