/** A secret with the name it is found by and what it is for. */
export type KeyringEntry = { readonly id: string; readonly purpose: string; readonly secret: Uint8Array };

/** What was added to a base key by somebody else (draft §5.2), and the public key of the two together: 32 octets each. */
export type Added = { readonly contribution: Uint8Array; readonly publicKey: Uint8Array };

/**
 * The keys of one device or portal (decision 5.1): named, kept one by one, used where they are. What uses them need not see them.
 *
 * Signature and decapsulation keys are PKCS#8, those of Ed25519 that sign as they are among them; base keys of keys that are made together are their seeds. `add` and `remove` are durable before they return. Errors: `keyring-key-missing`,
 * `keyring-key-exists`, `keyring-damaged`, `keyring-busy`, `keyring-failed`, `keyring-locked` after `close`.
 */
export interface Keyring {
  /** The names and purposes of what it holds, no secret among them. */
  list(): Promise<readonly { readonly id: string; readonly purpose: string }[]>;
  /** A signature over a message by a signature key. */
  sign(id: string, message: Uint8Array): Promise<Uint8Array>;
  /** A signature of Ed25519 by a base key together with what was added to it; `key-malformed` where that is not the key which it is said to give. */
  signAdded(id: string, added: Added, message: Uint8Array): Promise<Uint8Array>;
  /** The shared secret of a ciphertext, by a decapsulation key. */
  decapsulate(id: string, ciphertext: Uint8Array): Promise<Uint8Array>;
  add(id: string, purpose: string, secret: Uint8Array): Promise<void>;
  /** Adds several, all or none. */
  addAll(secrets: readonly KeyringEntry[]): Promise<void>;
  /** Takes a secret away; none is no error. */
  remove(id: string): Promise<void>;
  /** A key that follows from this keyring and a label, the same each time; 32 octets unless said otherwise. */
  derive(label: string, length?: number): Promise<Uint8Array>;
  /** Forgets what opened it. */
  close(): void;
}

/** A keyring that is open in this process, so that its secrets can be taken out. */
export interface OpenKeyring extends Keyring {
  has(id: string): boolean;
  /** The octets of a secret; the caller wipes them. */
  open(id: string): Promise<Uint8Array>;
}
