/** The one suite, without names for callers to choose: sign, encapsulate, encrypt, digest, keys and their encodings. */
export { base, content, kem, log, signature } from "./algorithms.ts";
export { CoGeneratedKey } from "./co-generated-key.ts";
export { checkBasePublicKey, type Contribution, contribute, isContribution } from "./co-generation.ts";
export { hkdf, hmac, sha256, sha512 } from "./digest.ts";
export { type Ed25519Key, generateEd25519, signEd25519, verifyEd25519 } from "./ed25519.ts";
export { decapsulate, encapsulate } from "./encapsulate.ts";
export { decryptGcm, encryptGcm, unwrapKey, wrapKey } from "./encrypt.ts";
export {
  decapsulationKeyFromJwk,
  decapsulationKeyFromPkcs8,
  decapsulationKeyToPkcs8,
  encapsulationKeyFromJwk,
  encapsulationKeyFromSpki,
  type PrivateJwk,
  privateJwk,
  type PublicJwk,
  publicJwk,
  signingKeyFromJwk,
  signingKeyFromPkcs8,
  signingKeyToPkcs8,
  verifyingKeyFromJwk,
  verifyingKeyFromSpki,
} from "./key-encoding.ts";
export type { DecapsulationKey, EncapsulationKey, SigningKey, VerifyingKey } from "./key-pair.ts";
export { generateDecapsulationKey, generateSigningKey } from "./key-pair.ts";
export { generateLogKey, type LogAlgorithm, logKeyFromSeed, logKeySeed, LogSigningKey, LogVerifyingKey } from "./log-key.ts";
export { checkPasswordParameters, defaultPasswordParameters, passwordKey, type PasswordOptions, type PasswordParameters, testPasswordParameters } from "./password-key.ts";
export { randomBytes } from "./random.ts";
export { sign, verify, verifySync } from "./sign.ts";
