/** Signed and sealed objects: JWS and JWE as narrow as decisions 2.5 and 2.6 make them. */
export { type Digest, countField, digestField, formatField, octetsField, udfField } from "./fields.ts";
export { decryptUnder, encryptUnder, type Keyed, keyedShape, keyedUnder, openKeyed } from "./keyed.ts";
export { MAX_RECIPIENTS, openSealed, recipientsOf, seal, type Sealed, type SealedSubject, sealedShape } from "./sealed.ts";
export { readShape, type Shape } from "./shape.ts";
export { digestOf, type Jws, jwsShape, type ObjectType, readSigned, type Signed, signedBytes, type Signer, signObject, type Verified, verifySigned } from "./signed.ts";
