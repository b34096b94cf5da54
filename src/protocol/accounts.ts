import * as v from "valibot";

import { jwsShape } from "../envelope/signed.ts";
import type { Command } from "./command.ts";
import { partRefusals, partsField } from "./parts.ts";

const validateRequest = v.strictObject({ address: v.pipe(v.string(), v.maxLength(400)) });
const validateResponse = v.strictObject({ reason: v.optional(v.string()), valid: v.boolean() });

/** ValidateAccount: whether a name could be taken now. */
export const validateAccount: Command<v.InferOutput<typeof validateRequest>, v.InferOutput<typeof validateResponse>> = {
  name: "ValidateAccount",
  request: validateRequest,
  response: validateResponse,
  asker: "anyone",
  writes: false,
  refusals: [],
};

const arrived = v.strictObject({ arrived: v.number() });

const createRequest = v.strictObject({ account: jwsShape, invitation: v.optional(v.pipe(v.string(), v.maxLength(128))), parts: partsField });

/** CreateAccount (draft §6): the account object with the whole first state of the mesh, as one batch (decision 8.3). */
export const createAccount: Command<v.InferOutput<typeof createRequest>, v.InferOutput<typeof arrived>> = {
  name: "CreateAccount",
  request: createRequest,
  response: arrived,
  asker: "anyone",
  writes: true,
  refusals: [...partRefusals, "account-name-taken", "account-name-reserved", "account-name-malformed", "account-wrong-portal", "account-not-invited", "service-rate-limited"],
};

const deleteRequest = v.strictObject({ account: jwsShape });
const deleteResponse = v.strictObject({ effective: v.optional(v.number()) });

/**
 * DeleteAccount: the next version of the account object, closed; takes effect after 72 h (decision 4.6), the name stays
 * reserved for the same Master for 30 days (8.3). A further version, open, takes it back before that.
 */
export const deleteAccount: Command<v.InferOutput<typeof deleteRequest>, v.InferOutput<typeof deleteResponse>> = {
  name: "DeleteAccount",
  request: deleteRequest,
  response: deleteResponse,
  asker: "administrator",
  writes: true,
  refusals: ["profile-out-of-order", "profile-wrong-signer", "profile-wrong-id", "signature-invalid", "signed-malformed", "signer-suspended"],
};
