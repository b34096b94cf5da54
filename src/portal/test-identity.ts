import { udfOfKey } from "../udf/udf.ts";
import { encapsulationJwk } from "../profiles/keys.ts";
import type { TestPortal } from "../../test/support/world.ts";

/** What a client learns of a portal by Hello, as far as sessions need it. */
export function identityOf({ keys }: TestPortal) {
  return { profile: { id: udfOfKey<"portal">(keys.identity.publicKey.spki), sessionKey: encapsulationJwk(keys.session.publicKey) } };
}
