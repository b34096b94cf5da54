import * as v from "valibot";

import { jwsShape } from "../envelope/signed.ts";
import type { Command } from "./command.ts";

const request = v.strictObject({});
const response = v.strictObject({ portal: jwsShape, versions: v.array(v.number()) });

/** Hello (JWB): the Portal Profile, which a client checks against pin and TLS key before it sends anything else (decision 3.5). */
export const hello: Command<v.InferOutput<typeof request>, v.InferOutput<typeof response>> = { name: "Hello", request, response, asker: "anyone", writes: false, refusals: [] };
