import { holdingPortalTo } from "../../client/blame.ts";
import type { PortalLocation } from "../../client/where.ts";
import { readSigned } from "../../envelope/signed.ts";
import { type Connection, openConnection } from "../../http/call.ts";
import { MAX_RESOURCE } from "../../notary/follow.ts";
import { type PortalProfile, portalProfile } from "../../profiles/portal.ts";
import type { Correct } from "../../profiles/stages.ts";
import { correctPortal } from "../../profiles/validity.ts";
import { hello } from "../../protocol/hello.ts";
import { decodePage, decodeResponse, encodeRequest, SERVICE_PATH } from "../../protocol/wire.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { udfOfKey } from "../../udf/udf.ts";

/** A portal as somebody outside meets it: who it is, and what it serves to anybody. */
export type Met = { readonly profile: Correct<PortalProfile>; readonly get: (path: string) => Promise<Uint8Array>; readonly post: Connection["post"]; readonly close: () => void };

/** Meets a portal as devices do (decision 3.5): its profile against the pin, or else the system's authorities; its TLS key against the profile. */
export async function meetOutside({ url, pin }: PortalLocation, timeout: { readonly timeoutMs?: number } = {}): Promise<Met> {
  const first = openConnection(url, { trust: pin === undefined ? "web-pki" : "any", ...timeout });
  try {
    const answer = await first.post(SERVICE_PATH, { "content-type": "application/json" }, encodeRequest(hello, {}));
    const profile = await holdingPortalTo(async () => correctPortal(readSigned(decodeResponse(hello, answer.body).portal, portalProfile), pin));
    const shown = udfOfKey(answer.peerSpki);
    demand(profile.payload.tlsKeys.some((key) => key === shown), "portal-wrong-identity", "The TLS key of this connection is not one that the portal vouches for.", "Somebody may sit between you and the portal.");
    const connection = openConnection(url, { trust: { spkis: [answer.peerSpki] }, maxBodyBytes: MAX_RESOURCE, ...timeout });
    return { profile, get: (path) => getPage(connection, path), post: connection.post, close: () => connection.close() };
  } finally {
    first.close();
  }
}

async function getPage(connection: Connection, path: string): Promise<Uint8Array> {
  const page = decodePage(await connection.get(path, {}));
  demand(page !== undefined, "store-not-found", `The portal's log has nothing at ${path}.`, "If that lasts, its operator should know.");
  return page;
}
