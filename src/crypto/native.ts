import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

import { MeshError } from "../refusals/mesh-error.ts";

/** The kind of one component, as `node:crypto` names it. */
export type Component = { readonly type: "ml-dsa-87" | "ml-dsa-44" | "ed448" | "ml-kem-1024" | "x448" | "ed25519"; readonly privateFormat: "raw-seed" | "raw-private" };

/** A plain view of what `node:crypto` returns, so that a `Buffer` with its other methods never leaves this room. */
export function plain(buffer: Uint8Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Refuses octets of another length than a key of this kind has (`key-malformed`). */
export function checkLength(raw: Uint8Array, octets: number, what: string): void {
  if (raw.length !== octets) throw new MeshError("key-malformed", `A ${what} key has ${octets} octets, not ${raw.length}.`);
}

/** Imports one public component; `key-malformed` where the engine finds a fault that our own checks do not cover. */
export function importPublic(type: Component["type"], raw: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: raw as Uint8Array<ArrayBuffer>, format: "raw-public", asymmetricKeyType: type });
  } catch {
    throw new MeshError("key-malformed", `This is not an ${type} public key.`);
  }
}

/** Imports one private component. */
export function importPrivate(component: Component, raw: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: raw as Uint8Array<ArrayBuffer>, format: component.privateFormat, asymmetricKeyType: component.type });
  } catch {
    throw new MeshError("key-malformed", `This is not an ${component.type} private key.`);
  }
}

/** The public octets that belong to a private component. */
export function publicOctets(key: KeyObject): Uint8Array {
  return plain(createPublicKey(key).export({ format: "raw-public" }));
}

/** The private octets of a component: for storage under encryption only. */
export function privateOctets(component: Component, key: KeyObject): Uint8Array {
  return plain(key.export({ format: component.privateFormat }));
}
