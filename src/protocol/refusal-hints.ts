import type { Code } from "../refusals/codes.ts";

const SYNC_AND_REPEAT = "Run `mesh sync`, then the same again.";
const REPORT = "Update Mesh here and ask the portal's operator to; if it happens again, report it.";
const NOT_LET_IN = "Look at `mesh device list` on another of your devices: this one may be disabled or suspended.";

/**
 * What to do about a refusal that a portal told, by its code. In our words: a portal could send people anywhere with its own.
 *
 * Codes after which nothing can be done have none.
 */
export const refusalHints: Partial<Readonly<Record<Code, string>>> = {
  "account-changed": SYNC_AND_REPEAT,
  "account-name-malformed": "Choose a name of 1 to 64 of the characters a-z 0-9 . _ - before the @.",
  "account-name-reserved": "Choose another name.",
  "account-name-taken": "Choose another name; or is it yours already? Then `mesh join` lets this device in.",
  "account-not-invited": "Ask the portal's operator for an invitation.",
  "account-quota": "Make room: detach and purge what you do not need (`mesh password purge --help`), or ask the portal's operator for more.",
  "account-unknown": "Check the address, and that it is this portal's: `--portal`.",
  "account-wrong-portal": "Check what comes after the @, and `--portal`.",
  "blob-unknown": "Run `mesh sync`, and try again.",
  "blob-wrong-digest": REPORT,
  "catalog-not-readable": "Ask whoever has one of the administration devices.",
  "commit-out-of-order": SYNC_AND_REPEAT,
  "commit-unknown-version": SYNC_AND_REPEAT,
  "commit-wrong-body": "Run `mesh sync`; if it happens again, report it.",
  "commit-wrong-epoch": SYNC_AND_REPEAT,
  "connection-answered": "See who is in: mesh device list",
  "connection-pin-unknown": "Make another on an administration device: mesh device pin",
  "connection-rejected": "If that was a mistake, run `mesh join` again.",
  "connection-too-many": "On an administration device: `mesh device reject --all`; or join by PIN, which waits behind nobody.",
  "connection-unknown": "It may have expired: run `mesh join` again.",
  "profile-malformed": REPORT,
  "profile-not-connected": SYNC_AND_REPEAT,
  "profile-out-of-order": SYNC_AND_REPEAT,
  "profile-two-versions": "Find out which of your devices was cloned or restored, and disable it: `mesh device list`, `mesh device disable NAME`.",
  "profile-wrong-id": REPORT,
  "request-malformed": REPORT,
  "request-not-allowed": NOT_LET_IN,
  "request-unknown-command": "The portal is older than this Mesh: ask its operator to update it.",
  "service-busy": "Try again soon.",
  "service-full": "What you did is kept here and sent at the next `mesh sync`. Tell the portal's operator.",
  "service-internal": "Try again later; its operator's log says why.",
  "service-rate-limited": "Wait a minute, then run it again.",
  "session-device-unknown": NOT_LET_IN,
  "session-malformed": "Run it again; if it stays so, ask the portal's operator whether its keys changed.",
  "signature-invalid": REPORT,
  "signature-wrong-key": REPORT,
  "signed-malformed": REPORT,
  "signer-suspended": "See how your devices stand: `mesh status`, and `mesh device list` on another of them.",
};
