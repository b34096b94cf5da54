import { generateKeyPairSync, type KeyObject } from "node:crypto";

import { concatBytes } from "../bytes/equal.ts";
import { derBitString, derOid, derSequence } from "../bytes/der.ts";
import { kem, signature } from "./algorithms.ts";
import { checkLength, importPrivate, importPublic, privateOctets, publicOctets } from "./native.ts";
import { checkEd448, checkMlKem, checkX448, checkX448Scalar } from "./point.ts";

/** The two halves of a composite key, as the engine holds them. */
export type Halves = { readonly lattice: KeyObject; readonly curve: KeyObject };

/** A public signature key. Other rooms get one from `key-encoding.ts` or from a {@link SigningKey}. */
export class VerifyingKey {
  /** Both components, 2,649 octets. Not to be written to, like `spki`. */
  readonly raw: Uint8Array;
  /** DER SubjectPublicKeyInfo: what the key identifier is made of. */
  readonly spki: Uint8Array;
  #halves: Halves | undefined;

  /** Checks length and spelling (`key-malformed`) and copies the octets. */
  constructor(raw: Uint8Array) {
    checkLength(raw, signature.publicKeyOctets, "public signature");
    checkEd448(raw.subarray(signature.lattice.publicKeyOctets));
    this.raw = raw.slice();
    this.spki = spki(signature, this.raw);
  }

  /** The native keys, imported at first use: most keys that are read never verify anything. */
  get halves(): Halves {
    return (this.#halves ??= publicHalves(signature, this.raw));
  }
}

/** A public key-encapsulation key. Other rooms get one from `key-encoding.ts` or from a {@link DecapsulationKey}. */
export class EncapsulationKey {
  /** Both components, 1,624 octets. Not to be written to, like `spki`. */
  readonly raw: Uint8Array;
  /** DER SubjectPublicKeyInfo: what the key identifier is made of. */
  readonly spki: Uint8Array;
  #halves: Halves | undefined;

  /** Checks length and spelling (`key-malformed`) and copies the octets. */
  constructor(raw: Uint8Array) {
    checkLength(raw, kem.publicKeyOctets, "public encryption");
    checkMlKem(raw);
    checkX448(raw.subarray(kem.lattice.publicKeyOctets));
    this.raw = raw.slice();
    this.spki = spki(kem, this.raw);
  }

  /** The native keys, imported at first use. */
  get halves(): Halves {
    return (this.#halves ??= publicHalves(kem, this.raw));
  }
}

/** A private signature key: its octets stay in the engine until `key-encoding.ts` asks for them. */
export class SigningKey {
  readonly publicKey: VerifyingKey;
  readonly halves: Halves;

  constructor(halves: Halves) {
    this.halves = halves;
    this.publicKey = new VerifyingKey(concatBytes(publicOctets(halves.lattice), publicOctets(halves.curve)));
  }
}

/** A private key-encapsulation key: its octets stay in the engine until `key-encoding.ts` asks for them. */
export class DecapsulationKey {
  readonly publicKey: EncapsulationKey;
  readonly halves: Halves;

  constructor(halves: Halves) {
    this.halves = halves;
    this.publicKey = new EncapsulationKey(concatBytes(publicOctets(halves.lattice), publicOctets(halves.curve)));
  }
}

/** Makes a new signature key (about 1 ms). */
export function generateSigningKey(): SigningKey {
  return new SigningKey({ lattice: generateKeyPairSync("ml-dsa-87").privateKey, curve: generateKeyPairSync("ed448").privateKey });
}

/** Makes a new key-encapsulation key (about 1 ms). */
export function generateDecapsulationKey(): DecapsulationKey {
  return new DecapsulationKey({ lattice: generateKeyPairSync("ml-kem-1024").privateKey, curve: generateKeyPairSync("x448").privateKey });
}

type Composite = typeof signature | typeof kem;

/** The private octets of both halves, lattice seed first (89 or 120): for storage under encryption only. */
export function privateOctetsOf(composite: Composite, halves: Halves): Uint8Array {
  return concatBytes(privateOctets(composite.lattice, halves.lattice), privateOctets(composite.curve, halves.curve));
}

/** Both halves from private octets; `key-malformed` for a wrong length or spelling. */
export function privateHalves(composite: Composite, raw: Uint8Array): Halves {
  checkLength(raw, composite.privateKeyOctets, "private");
  const split = composite.lattice.privateKeyOctets;
  if (composite.curve.type === "x448") checkX448Scalar(raw.subarray(split));
  return { lattice: importPrivate(composite.lattice, raw.subarray(0, split)), curve: importPrivate(composite.curve, raw.subarray(split)) };
}

function publicHalves(composite: Composite, raw: Uint8Array): Halves {
  const split = composite.lattice.publicKeyOctets;
  return { lattice: importPublic(composite.lattice.type, raw.subarray(0, split)), curve: importPublic(composite.curve.type, raw.subarray(split)) };
}

/** What stands before the octets of a key in its SubjectPublicKeyInfo: the same for every key of a suite. */
const heads = new Map<Composite, Uint8Array>();

function spki(composite: Composite, raw: Uint8Array): Uint8Array {
  let head = heads.get(composite);
  if (head === undefined) {
    const whole = derSequence(derSequence(derOid(composite.oid)), derBitString(new Uint8Array(composite.publicKeyOctets)));
    heads.set(composite, (head = whole.slice(0, whole.length - composite.publicKeyOctets)));
  }
  return concatBytes(head, raw);
}
