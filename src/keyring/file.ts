import { canonicalJson } from "../bytes/canonical-json.ts";
import { wipe } from "../bytes/equal.ts";
import { randomBytes } from "../crypto/random.ts";
import { keyedUnder, openKeyed } from "../envelope/keyed.ts";
import { withFileLock } from "../machine/file-lock.ts";
import { replaceFile } from "../machine/replace-file.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { demandAuthentic, demandPrivateFolder, keyringOctets, type KeyringFile, type Read, readKeyringFile, stampAt, translate } from "./file-format.ts";
import type { Added, KeyringEntry, OpenKeyring } from "./keyring.ts";
import { lockRoot, type PassphraseOptions, unlockRoot } from "./passphrase.ts";
import { closed, derived, keyMissing, newEntries, ROOT_OCTETS } from "./secrets.ts";
import { AddedKeys, decapsulateWith, signWith } from "./use.ts";

type Sealed = KeyringFile["secrets"];

/**
 * Makes a keyring file under a passphrase, or readable by whoever may read the file (mode 0600) if there is none.
 *
 * The folder must exist, mode 0700. A keyring that holds a key is never overwritten (`keyring-exists`); one without is what a
 * creation leaves behind that was cut off, and is made afresh.
 */
export async function createKeyringFile(path: string, passphrase: Uint8Array | undefined, options: PassphraseOptions = {}): Promise<OpenKeyring> {
  return changing(path, async () => {
    if (stampAt(path) !== undefined && readKeyringFile(path).file.secrets.length > 0) {
      throw new MeshError("keyring-exists", `There is a keyring at ${path} already, and it was not overwritten.`);
    }
    const root = randomBytes(ROOT_OCTETS);
    replaceFile(path, keyringOctets(root, await lockRoot(root, passphrase, options), []));
    return new FileKeyring(path, root, readKeyringFile(path));
  });
}

/**
 * Opens a keyring file; a passphrase that it does not need is not looked at.
 *
 * `keyring-not-found`, `keyring-permissions` (others may reach file or folder), `keyring-newer`, `keyring-damaged`, `keyring-locked` and
 * `keyring-wrong-passphrase` (exit 4). The file is not touched.
 */
export async function openKeyringFile(path: string, passphrase: Uint8Array | undefined, options: PassphraseOptions = {}): Promise<OpenKeyring> {
  const read = readKeyringFile(path);
  return new FileKeyring(path, await unlockRoot(read.file.lock, passphrase, options), read);
}

/** Puts a keyring under another passphrase, or none, in one step; the secrets and `derive` stay as they are, open keyrings stay open. */
export async function changePassphrase(path: string, old: Uint8Array | undefined, next: Uint8Array | undefined, options: PassphraseOptions = {}): Promise<void> {
  await changing(path, async () => {
    const { file } = readKeyringFile(path);
    const root = await unlockRoot(file.lock, old, options);
    try {
      demandAuthentic(path, file, root);
      replaceFile(path, keyringOctets(root, await lockRoot(root, next, options), file.secrets));
    } finally {
      wipe(root);
    }
  });
}

/** Whether a keyring file opens with a passphrase only; errors as `openKeyringFile`. */
export async function keyringNeedsPassphrase(path: string): Promise<boolean> {
  return readKeyringFile(path).file.lock.name !== "none";
}

/** Whether a keyring file holds a secret of a purpose; needs no passphrase, and says yes of a file that cannot be read, so that opening it says why. */
export function keyringHolds(path: string, purpose: string): boolean {
  if (stampAt(path) === undefined) return false;
  try {
    return readKeyringFile(path).file.secrets.some((secret) => secret.purpose === purpose);
  } catch {
    return true;
  }
}

/** A keyring in a file; what another process changed is seen as soon as the file is another one. */
class FileKeyring implements OpenKeyring {
  readonly #path: string;
  readonly #root: Uint8Array;
  #read: Read;
  readonly #addedKeys = new AddedKeys();
  #open = true;

  constructor(path: string, root: Uint8Array, read: Read) {
    this.#path = path;
    this.#root = root;
    this.#read = read;
    try {
      demandAuthentic(path, read.file, root);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async list(): Promise<readonly { readonly id: string; readonly purpose: string }[]> {
    return this.#current().secrets.map(({ id, purpose }) => ({ id, purpose }));
  }

  has(id: string): boolean {
    return this.#current().secrets.some((secret) => secret.id === id);
  }

  async open(id: string): Promise<Uint8Array> {
    const found = this.#held(id);
    if (found === undefined) throw keyMissing(id);
    return found.secret;
  }

  sign(id: string, message: Uint8Array): Promise<Uint8Array> {
    return signWith(this.open(id), message);
  }

  async signAdded(id: string, added: Added, message: Uint8Array): Promise<Uint8Array> {
    if (!this.has(id)) throw keyMissing(id);
    return this.#addedKeys.sign(id, added, message, () => this.open(id));
  }

  decapsulate(id: string, ciphertext: Uint8Array): Promise<Uint8Array> {
    return decapsulateWith(this.open(id), ciphertext);
  }

  add(id: string, purpose: string, secret: Uint8Array): Promise<void> {
    return this.addAll([{ id, purpose, secret }]);
  }

  async addAll(entries: readonly KeyringEntry[]): Promise<void> {
    await this.#change((secrets) => [...secrets, ...newEntries(entries, (id) => this.#held(id)).map((entry) => this.#seal(entry))]);
  }

  async remove(id: string): Promise<void> {
    await this.#change((secrets) => secrets.filter((secret) => secret.id !== id));
  }

  async derive(label: string, length = 32): Promise<Uint8Array> {
    this.#demandOpen();
    return derived(this.#root, `derive/${label}`, length);
  }

  close(): void {
    this.#open = false;
    this.#addedKeys.close();
    wipe(this.#root);
  }

  #demandOpen(): void {
    if (!this.#open) throw closed();
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

  #held(id: string): { readonly purpose: string; readonly secret: Uint8Array } | undefined {
    const found = this.#current().secrets.find((secret) => secret.id === id);
    if (found === undefined) return undefined;
    const key = derived(this.#root, "seal", 32);
    const secret = openKeyed(key, bound(found), found.sealed);
    wipe(key);
    if (secret === undefined) throw new MeshError("keyring-damaged", `The keyring ${this.#path} is damaged: the key ${id} does not open.`);
    return { purpose: found.purpose, secret };
  }

  #seal({ id, purpose, secret }: KeyringEntry): Sealed[number] {
    const key = derived(this.#root, "seal", 32);
    const sealed = keyedUnder(key, bound({ id, purpose }), secret);
    wipe(key);
    return { id, purpose, sealed };
  }

  async #change(next: (secrets: Sealed) => Sealed): Promise<void> {
    this.#demandOpen();
    await changing(this.#path, async () => {
      // Read inside the lock, so that nothing another process added is lost.
      const { lock, secrets } = this.#current();
      const wanted = next(secrets);
      // One change either adds or removes: as many as before means none.
      if (wanted.length !== secrets.length) replaceFile(this.#path, keyringOctets(this.#root, lock, wanted));
    });
  }
}

/** What a sealed secret is bound to: it opens under no other name, and for no other purpose. */
function bound({ id, purpose }: { readonly id: string; readonly purpose: string }): string {
  return canonicalJson(["mesh/keyring/v1/secret", id, purpose]);
}

/** Does a change while nobody else does one; errors of the file system become the keyring's own. */
async function changing<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    demandPrivateFolder(path);
    return await withFileLock(path, () => new MeshError("keyring-busy", `Another process is changing the keyring ${path}.`, "Try again, or end the other process."), act);
  } catch (error) {
    throw translate(error, path);
  }
}
