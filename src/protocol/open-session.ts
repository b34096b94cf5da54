import * as v from "valibot";

import { kem } from "../crypto/algorithms.ts";
import { octetsField } from "../envelope/fields.ts";
import type { Command } from "./command.ts";

const request = v.strictObject({ ciphertext: octetsField({ octets: kem.ciphertextOctets }), member: octetsField({ most: 256 }) });
const response = v.strictObject({ ciphertext: octetsField({ octets: kem.ciphertextOctets }), confirmation: octetsField({ octets: 64 }) });

/** OpenSession (decision 8.1): one round trip; the key follows from a secret that only the portal and one that only the device can open. */
export const openSession: Command<v.InferOutput<typeof request>, v.InferOutput<typeof response>> = {
  name: "OpenSession",
  request,
  response,
  asker: "anyone",
  writes: true,
  refusals: ["session-device-unknown", "session-malformed", "service-rate-limited"],
};
