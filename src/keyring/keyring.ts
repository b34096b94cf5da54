/** A secret with the name it is found by and what it is for. */
export type KeyringEntry = { readonly id: string; readonly purpose: string; readonly secret: Uint8Array };

/**
 * A place for the secrets of one device or portal (decision 5.1): named, sealed one by one, opened one at a time.
 *
 * `add` and `remove` are durable before they return. Errors: `keyring-key-missing`, `keyring-key-exists`, `keyring-damaged`,
 * `keyring-busy`, `keyring-failed`.
 */
export interface Keyring {
  /** The names and purposes of what it holds, no secret among them. */
  list(): readonly { readonly id: string; readonly purpose: string }[];
  has(id: string): boolean;
  /** The octets of a secret; the caller wipes them. */
  open(id: string): Promise<Uint8Array>;
  add(id: string, purpose: string, secret: Uint8Array): Promise<void>;
  /** Adds several, all or none. */
  addAll(secrets: readonly KeyringEntry[]): Promise<void>;
  /** Takes a secret away; none is no error. */
  remove(id: string): Promise<void>;
  /** A key that follows from this keyring and a label, the same each time; 32 octets unless said otherwise. */
  derive(label: string, length?: number): Uint8Array;
  /** Forgets what opened it. */
  close(): void;
}
