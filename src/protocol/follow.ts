import * as v from "valibot";

import { utf8 } from "../bytes/text.ts";
import { hkdf } from "../crypto/digest.ts";
import { octetsField, udfField } from "../envelope/fields.ts";
import type { Signed } from "../envelope/signed.ts";
import type { PersonalProfile } from "../profiles/personal.ts";
import type { Command } from "./command.ts";
import { fetchResponse, knownShape, standingShape, version } from "./profiles.ts";

const PASS_OCTETS = 32;

const followRequest = v.strictObject({ ...knownShape.entries, master: udfField<"master">(), pass: octetsField({ octets: PASS_OCTETS }), version });
const followResponse = v.strictObject({ profiles: v.omit(fetchResponse, ["applications"]), standing: standingShape });

/** Follow: how a mesh goes on, for somebody outside it who was shown one of its versions, as a server is by a device (`docs/spec/portal.md` 4.12). */
export const follow: Command<v.InferOutput<typeof followRequest>, v.InferOutput<typeof followResponse>> = {
  name: "Follow",
  request: followRequest,
  response: followResponse,
  asker: "anyone",
  writes: false,
  refusals: ["account-unknown"],
};

/**
 * What shows that somebody knows a version of a Personal Profile, 32 octets: its digest is in the log for all to see, its signature is not.
 *
 * Whoever saw a version can make it, and so can a device that was disabled since: it opens nothing but what comes after.
 */
export function passOf({ jws, payload: { g, id, n } }: Signed<PersonalProfile>): Uint8Array {
  return hkdf(utf8(`${jws.protected}.${jws.payload}.${jws.signature}`), utf8(id), utf8(`mesh/follow/v1\0${g}.${n}`), PASS_OCTETS);
}
