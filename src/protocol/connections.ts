import * as v from "valibot";

import { udfField } from "../envelope/fields.ts";
import { jwsShape } from "../envelope/signed.ts";
import type { Command } from "./command.ts";
import { partRefusals, partsField } from "./parts.ts";

const startRequest = v.strictObject({ request: jwsShape });
const startResponse = v.strictObject({ arrived: v.number(), expires: v.number() });

/** ConnectStart (draft §6 "request device connection"): the device that asks is no member yet, so anyone may; the asterisk in the draft is an error. */
export const connectStart: Command<v.InferOutput<typeof startRequest>, v.InferOutput<typeof startResponse>> = {
  name: "ConnectStart",
  request: startRequest,
  response: startResponse,
  asker: "anyone",
  writes: true,
  refusals: ["account-unknown", "signed-malformed", "signature-invalid", "signature-wrong-key", "profile-malformed", "profile-wrong-id", "connection-too-many", "connection-pin-unknown", "connection-rejected", "service-rate-limited"],
};

const statusRequest = v.strictObject({ witness: udfField<"witness">() });
const statusResponse = v.strictObject({ answer: v.optional(jwsShape), state: v.picklist(["pending", "answered"]) });

/** ConnectStatus: the answer to the asker's own request, once there is one. */
export const connectStatus: Command<v.InferOutput<typeof statusRequest>, v.InferOutput<typeof statusResponse>> = {
  name: "ConnectStatus",
  request: statusRequest,
  response: statusResponse,
  asker: "requester",
  writes: false,
  refusals: ["connection-unknown"],
};

const pendingRequest = v.strictObject({});
const pendingResponse = v.strictObject({ requests: v.array(v.strictObject({ arrived: v.number(), request: jwsShape })) });

/** ConnectPending (draft §6 "view pending requests"): all requests not yet answered nor expired. */
export const connectPending: Command<v.InferOutput<typeof pendingRequest>, v.InferOutput<typeof pendingResponse>> = {
  name: "ConnectPending",
  request: pendingRequest,
  response: pendingResponse,
  asker: "administrator",
  writes: false,
  refusals: [],
};

const completeRequest = v.strictObject({ answer: jwsShape, parts: v.optional(partsField) });
const completeResponse = v.strictObject({ arrived: v.number() });

/** ConnectComplete (draft §6 "accept or reject"): the signed answer with everything it promises, as one batch (decision 5.4). */
export const connectComplete: Command<v.InferOutput<typeof completeRequest>, v.InferOutput<typeof completeResponse>> = {
  name: "ConnectComplete",
  request: completeRequest,
  response: completeResponse,
  asker: "administrator",
  writes: true,
  refusals: [...partRefusals, "connection-unknown", "connection-answered"],
};
