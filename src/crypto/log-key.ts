import { generateKeyPairSync, type KeyObject, sign as nativeSign, verify as nativeVerify } from "node:crypto";

import { log } from "./algorithms.ts";
import { checkLength, importPrivate, importPublic, plain, privateOctets, publicOctets } from "./native.ts";

/** What a log, or whoever cosigns it, signs with: the two that C2SP tlog-cosignature knows. */
export type LogAlgorithm = keyof typeof log;

/** A public key of a log or of a cosigner. */
export class LogVerifyingKey {
  readonly algorithm: LogAlgorithm;
  /** 32 octets of Ed25519 (RFC 8032) or 1,312 of ML-DSA-44 (FIPS 204). Not to be written to. */
  readonly raw: Uint8Array;
  #native: KeyObject | undefined;

  /** Checks the length (`key-malformed`) and copies the octets. */
  constructor(algorithm: LogAlgorithm, raw: Uint8Array) {
    checkLength(raw, log[algorithm].publicKeyOctets, `public ${log[algorithm].type}`);
    this.algorithm = algorithm;
    this.raw = raw.slice();
  }

  /** Whether a signature over a message is true, on the calling thread (about 0.2 ms); false for any wrong length or content. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== log[this.algorithm].signatureOctets) return false;
    try {
      return nativeVerify(null, message, (this.#native ??= importPublic(log[this.algorithm].type, this.raw)), signature);
    } catch {
      return false;
    }
  }
}

/** A private key of a log or of a cosigner: its octets stay in the engine until {@link logKeySeed} asks for them. */
export class LogSigningKey {
  readonly publicKey: LogVerifyingKey;
  readonly native: KeyObject;

  constructor(algorithm: LogAlgorithm, native: KeyObject) {
    this.publicKey = new LogVerifyingKey(algorithm, publicOctets(native));
    this.native = native;
  }

  /**
   * Signs a message: 64 octets of Ed25519, on the calling thread (about 0.05 ms), or 2,420 of ML-DSA-44, which are others each time, in the thread pool.
   *
   * An answer waits for the former: in the pool it would stand behind the signatures of all requests that came meanwhile.
   */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    if (this.publicKey.algorithm === "ed25519") return plain(nativeSign(null, message, this.native));
    return new Promise((resolve, reject) => {
      nativeSign(null, message, this.native, (error, signature) => (error === null ? resolve(plain(signature)) : reject(error)));
    });
  }
}

/** Makes a new key. */
export function generateLogKey(algorithm: LogAlgorithm): LogSigningKey {
  const { privateKey } = algorithm === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ml-dsa-44");
  return new LogSigningKey(algorithm, privateKey);
}

/** The key of a seed of 32 octets; `key-malformed` for another length. */
export function logKeyFromSeed(algorithm: LogAlgorithm, seed: Uint8Array): LogSigningKey {
  checkLength(seed, log[algorithm].privateKeyOctets, `private ${log[algorithm].type}`);
  return new LogSigningKey(algorithm, importPrivate(log[algorithm], seed));
}

/** The seed of a key, 32 octets: for storage under encryption only. */
export function logKeySeed(key: LogSigningKey): Uint8Array {
  return privateOctets(log[key.publicKey.algorithm], key.native);
}
