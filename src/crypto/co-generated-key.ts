import { type KeyObject, verify as nativeVerify } from "node:crypto";

import { equalBytes, wipe } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { base } from "./algorithms.ts";
import { hkdf, hmac, sha512 } from "./digest.ts";
import { type Edwards, edwards } from "./edwards.ts";
import { importPublic } from "./native.ts";
import { randomBytes } from "./random.ts";

/** One in so many signatures is verified, the first among them. */
const VERIFIED_OF = 8;

const nonceInfo = utf8("mesh/ed25519/co-generated/nonce/v1");

/**
 * An Ed25519 key that a device and an administrator made together (draft §5.2): whoever knows one half knows nothing of the whole.
 *
 * It has no seed, so the engine cannot sign with it; what it signs is verified like any other signature of Ed25519 (RFC 8032).
 */
export class CoGeneratedKey {
  /** 32 octets. */
  readonly publicKey: Uint8Array;
  readonly #curve: Edwards;
  readonly #scalar: Uint8Array;
  readonly #prefix: Uint8Array;
  readonly #native: KeyObject;
  /** A scalar by chance, and its product with the key: the same key once more, in other octets. */
  readonly #blind: Uint8Array;
  readonly #blinded: Uint8Array;
  #signed = 0;
  #isOpen = true;

  private constructor(curve: Edwards, publicKey: Uint8Array, scalar: Uint8Array) {
    this.#curve = curve;
    this.publicKey = publicKey;
    this.#scalar = scalar;
    // From the sum, not from the base key: two keys of one base must not share what their nonces come from.
    this.#prefix = hkdf(scalar, publicKey, nonceInfo, 64);
    this.#native = importPublic(base.type, publicKey);
    this.#blind = curve.reduce(randomBytes(64));
    this.#blinded = curve.multiplyScalars(scalar, this.#blind);
  }

  /**
   * Adds a contribution to a device's own half.
   * @param seed of the base key, 32 octets
   * @param contribution a scalar below the order of the base point, 32 octets
   * @param publicKey what whoever contributed says that comes of it
   * @throws MeshError `key-malformed` for other lengths, a scalar of 0 or too large, or if something else comes of it
   */
  static async from(seed: Uint8Array, contribution: Uint8Array, publicKey: Uint8Array): Promise<CoGeneratedKey> {
    if (seed.length !== base.privateKeyOctets || contribution.length !== 32 || publicKey.length !== base.publicKeyOctets) throw malformed();
    const curve = await edwards();
    const own = ownScalar(curve, seed);
    const scalar = curve.addScalars(own, reduced(curve, contribution));
    wipe(own);
    const made = curve.timesBase(scalar);
    if (made === undefined || !curve.isPoint(publicKey) || !equalBytes(made, publicKey)) {
      wipe(scalar);
      throw malformed();
    }
    return new CoGeneratedKey(curve, publicKey.slice(), scalar);
  }

  /**
   * Signs a message: 64 octets, others each time.
   *
   * The nonce comes from the key, the message and fresh chance, so that neither a bad generator nor a repeated message gives one twice. A fault in the
   * arithmetic would show the key: all that could is done twice before a signature is let go, the response from other octets, and the first and every eighth
   * is verified as well, since a fault that stays would be met twice. A wrong challenge shows nothing. After one the key is closed (docs/spec/profiles.md 6.3).
   * @throws MeshError `key-failed`
   */
  sign(message: Uint8Array): Uint8Array {
    if (!this.#isOpen) throw failed();
    const curve = this.#curve;
    const chance = randomBytes(32);
    const nonce = this.#nonce(chance, message);
    const commitment = curve.timesBase(nonce);
    if (commitment === undefined) throw failed();
    const challenge = curve.reduce(sha512(commitment, this.publicKey, message));
    const product = curve.multiplyScalars(challenge, this.#scalar);
    const response = curve.addScalars(nonce, product);
    const again = this.#nonce(chance, message);
    const commitmentAgain = curve.timesBase(again) ?? again;
    const isSound = equalBytes(nonce, again) && equalBytes(commitment, commitmentAgain) && this.#isResponse(response, again, challenge);
    for (const secret of [chance, nonce, again, product]) wipe(secret);
    const signature = new Uint8Array(base.signatureOctets);
    signature.set(commitment);
    signature.set(response, 32);
    if (!isSound || (this.#signed++ % VERIFIED_OF === 0 && !nativeVerify(null, message, this.#native, signature))) {
      this.close();
      throw failed();
    }
    return signature;
  }

  #nonce(chance: Uint8Array, message: Uint8Array): Uint8Array {
    const wide = hmac(this.#prefix, this.publicKey, chance, message);
    const nonce = this.#curve.reduce(wide);
    wipe(wide);
    return nonce;
  }

  /** Whether a response is nonce + challenge · key, by the key's other octets: all of it times the blind. */
  #isResponse(response: Uint8Array, nonce: Uint8Array, challenge: Uint8Array): boolean {
    const { addScalars, multiplyScalars } = this.#curve;
    const [left, blindNonce, product] = [multiplyScalars(response, this.#blind), multiplyScalars(nonce, this.#blind), multiplyScalars(challenge, this.#blinded)];
    const right = addScalars(blindNonce, product);
    const same = equalBytes(left, right);
    for (const secret of [left, blindNonce, product, right]) wipe(secret);
    return same;
  }

  /** Forgets the key; what it is asked to sign after that is refused. */
  close(): void {
    this.#isOpen = false;
    for (const secret of [this.#scalar, this.#prefix, this.#blind, this.#blinded]) wipe(secret);
  }
}

/** The scalar that a seed stands for (RFC 8032 §5.1.5), modulo the order of the base point. */
function ownScalar(curve: Edwards, seed: Uint8Array): Uint8Array {
  const digest = sha512(seed);
  const wide = new Uint8Array(64);
  wide.set(digest.subarray(0, 32));
  wide[0] = (wide[0] as number) & 0xf8;
  wide[31] = ((wide[31] as number) & 0x7f) | 0x40;
  const scalar = curve.reduce(wide);
  wipe(digest);
  wipe(wide);
  return scalar;
}

/** A scalar in its only spelling. */
function reduced(curve: Edwards, scalar: Uint8Array): Uint8Array {
  const wide = new Uint8Array(64);
  wide.set(scalar);
  const least = curve.reduce(wide);
  wipe(wide);
  if (!equalBytes(least, scalar) || least.every((octet) => octet === 0)) throw malformed();
  return least;
}

function malformed(): MeshError {
  return new MeshError("key-malformed", "This device's half and the other half do not make the key that they are said to make.");
}

function failed(): MeshError {
  return new MeshError("key-failed", "A signature came out wrong, and was not given away, or its key is closed: nothing is signed with it any more.");
}
