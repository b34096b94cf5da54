import { MeshError } from "../refusals/mesh-error.ts";

/** Where a service listens, and what its identity must be if the address says so. */
export type PortalUrl = {
  /** `https://HOST` or `https://HOST:PORT`, normalised. */
  readonly origin: string;
  /** The host without brackets, as a socket takes it. */
  readonly host: string;
  readonly port: number;
  /** What stands behind `#`, as written: the UDF of the portal's identity key, for `parseUdf` to judge. */
  readonly pin?: string;
};

/**
 * Reads `https://HOST[:PORT][/][#PIN]`, the one form in which a portal is named by URL.
 *
 * Plain http, user names, paths and queries are refused: what would be ignored should not be written.
 * @throws MeshError `service-url`
 */
export function parsePortalUrl(text: string): PortalUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new MeshError("service-url", `"${text}" is no URL.`, "Write https://HOST:PORT.");
  if (url.protocol !== "https:") {
    throw new MeshError("service-url", `"${text}" does not begin with https://.`, "A portal is reached over TLS only: write https://HOST:PORT.");
  }
  if (url.username !== "" || url.password !== "" || url.pathname !== "/" || url.search !== "") {
    throw new MeshError("service-url", "A portal's URL has a host, a port and perhaps #IDENTIFIER, and nothing else.");
  }
  const place = {
    origin: url.origin,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 443 : Number(url.port),
  };
  return url.hash === "" ? place : { ...place, pin: url.hash.slice(1) };
}
