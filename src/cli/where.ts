import { parsePortalUrl } from "../http/url.ts";
import type { PortalLocation } from "../client/where.ts";
import { demand } from "../refusals/mesh-error.ts";
import { isUdf } from "../udf/udf.ts";

/**
 * Where the portal of an address is: `--portal`, else SRV `_mmm._tcp` of its domain, else the domain itself (product contract).
 *
 * A pin comes with the URL, after `#`; without one the system's certificate authorities must vouch for the portal at first.
 */
export async function portalOf(domain: string, given: string | undefined): Promise<PortalLocation> {
  if (given === undefined) return { url: await lookUp(domain) };
  return parsePlace(given);
}

/** Where and who a portal is by its URL, with its pin after `#` or without one. */
export function parsePlace(url: string): PortalLocation {
  const { origin, pin } = parsePortalUrl(url);
  demand(pin === undefined || isUdf(pin), "service-url", "The pin after # in the portal's URL is not a whole fingerprint.", "Copy the URL as `mesh portal init` prints it.");
  return pin === undefined ? { url: origin } : { url: origin, pin };
}

async function lookUp(domain: string): Promise<string> {
  const { resolveSrv } = await import("node:dns/promises");
  try {
    const [best] = (await resolveSrv(`_mmm._tcp.${domain}`)).sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    if (best !== undefined) return parsePortalUrl(`https://${best.name}:${best.port}`).origin;
  } catch {
    // No SRV record, or no DNS: the domain itself is the portal's name.
  }
  return parsePortalUrl(`https://${domain}`).origin;
}
