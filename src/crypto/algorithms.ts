/**
 * The one table of algorithms (draft §4.4, decision 2): one suite, so that no caller and no message ever names one.
 *
 * Sizes are in octets. Signature: draft-ietf-lamps-pq-composite-sigs; key encapsulation: draft-ietf-lamps-pq-composite-kem.
 */

/** Signature: ML-DSA-87 with Ed448, both over SHAKE256 of the message; both must verify. */
export const signature = {
  jose: "ML-DSA-87-Ed448",
  oid: "1.3.6.1.5.5.7.6.51",
  label: "COMPSIG-MLDSA87-Ed448-SHAKE256",
  prefix: "CompositeAlgorithmSignatures2025",
  prehashOctets: 64,
  publicKeyOctets: 2649,
  privateKeyOctets: 89,
  signatureOctets: 4741,
  lattice: { type: "ml-dsa-87", privateFormat: "raw-seed", publicKeyOctets: 2592, privateKeyOctets: 32, signatureOctets: 4627 },
  curve: { type: "ed448", privateFormat: "raw-private", publicKeyOctets: 57, privateKeyOctets: 57, signatureOctets: 114 },
} as const;

/** Key encapsulation: ML-KEM-1024 with X448, combined by SHA3-256. */
export const kem = {
  jose: "MLKEM1024-X448+A256KW",
  josePublic: "MLKEM1024-X448",
  oid: "1.3.6.1.5.5.7.6.65",
  label: "MLKEM1024-X448",
  publicKeyOctets: 1624,
  privateKeyOctets: 120,
  ciphertextOctets: 1624,
  secretOctets: 32,
  lattice: { type: "ml-kem-1024", privateFormat: "raw-seed", publicKeyOctets: 1568, privateKeyOctets: 64, ciphertextOctets: 1568 },
  curve: { type: "x448", privateFormat: "raw-private", publicKeyOctets: 56, privateKeyOctets: 56, ciphertextOctets: 56 },
} as const;

/** Content encryption: AES-256-GCM. */
export const content = { jose: "A256GCM", keyOctets: 32, ivOctets: 12, tagOctets: 16 } as const;

/** Base keys for co-generation: Ed25519 (decisions 2.3 and 5.5). */
export const base = { type: "ed25519", publicKeyOctets: 32, privateKeyOctets: 32, signatureOctets: 64 } as const;

/** What the notary log's checkpoints are signed with, as C2SP tlog-cosignature has it (decisions 2.3 and 8.5): a private key is its seed. */
export const log = {
  ed25519: { type: "ed25519", privateFormat: "raw-private", publicKeyOctets: 32, privateKeyOctets: 32, signatureOctets: 64 },
  mlDsa44: { type: "ml-dsa-44", privateFormat: "raw-seed", publicKeyOctets: 1312, privateKeyOctets: 32, signatureOctets: 2420 },
} as const;
