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
} as const satisfies Readonly<Record<string, Exit>>;

export type Code = keyof typeof codes;
