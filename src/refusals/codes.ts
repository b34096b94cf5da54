/** Exit statuses of the command line (product contract): 1 failed, 2 usage, 3 not found, 4 locked or not authorised, 5 waiting, 6 conflict or a portal that cheats, 7 offline. */
export type Exit = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/**
 * The one closed list of error codes, `<noun>-<condition>`, each with its exit status.
 *
 * A code is never reused for another meaning. What only a cheating portal can cause begins with `portal-`.
 * `docs/errors.md` explains each; a test keeps the two equal.
 */
export const codes = {
  "json-malformed": 1,
  "json-too-large": 1,
  "json-too-deep": 1,
  "json-duplicate-member": 1,
  "json-not-canonical": 1,
  "base64url-malformed": 1,
  "base32-malformed": 1,
  "der-malformed": 1,
  "key-malformed": 1,
  "udf-malformed": 2,
  "signed-malformed": 1,
  "signature-wrong-key": 1,
  "signature-invalid": 1,
  "sealed-malformed": 1,
  "sealed-not-for-this-key": 4,
  "sealed-wrong-commitment": 1,
  "sealed-not-authentic": 1,
  "profile-malformed": 1,
  "profile-wrong-id": 1,
  "profile-wrong-signer": 4,
  "profile-wrong-role": 4,
  "profile-out-of-order": 6,
  "profile-two-versions": 6,
  "profile-not-connected": 4,
  "signer-suspended": 4,
  "commit-malformed": 1,
  "commit-out-of-order": 6,
  "commit-unknown-version": 6,
  "commit-unknown-suspension": 6,
  "commit-wrong-author": 4,
  "commit-wrong-epoch": 6,
  "commit-wrong-readers": 4,
  "commit-wrong-body": 1,
  "epoch-key-wrong": 1,
  "entries-malformed": 1,
  "portal-wrong-identity": 6,
  "service-url": 2,
  "service-unreachable": 7,
  "service-timeout": 7,
  "service-handshake-failed": 1,
  "service-untrusted": 1,
  "service-answer-too-large": 1,
  "service-answer-malformed": 1,
  "service-port-taken": 1,
  "service-listen-failed": 1,
  "service-internal": 1,
  "service-busy": 7,
  "service-request-malformed": 1,
  "service-request-too-large": 1,
  "service-request-slow": 1,
  "certificate-name-malformed": 2,
  "portal-certificate": 6,
} as const satisfies Readonly<Record<string, Exit>>;

export type Code = keyof typeof codes;
