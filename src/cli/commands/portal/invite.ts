import { resolve } from "node:path";

import { toBase32 } from "../../../bytes/base32.ts";
import { randomBytes } from "../../../crypto/random.ts";
import { invite } from "../../../portal/invitations.ts";
import type { Call } from "../../call.ts";
import { openPortalData } from "../../portal/data.ts";
import { openPortalStore } from "../../portal/store.ts";

/** `mesh portal invite`: a code that lets somebody create one account; the portal keeps only its digest. */
export async function run(call: Call): Promise<void> {
  const data = await openPortalData(resolve(call.args.needText("data")));
  const store = await openPortalStore(data, "changing");
  call.whenDone(() => store.close());
  const invitation = toBase32(randomBytes(15)).match(/.{4}/g)?.join("-") ?? "";
  await invite(store, invitation, call.world.now());
  call.output.data({ invitation }, invitation);
}
