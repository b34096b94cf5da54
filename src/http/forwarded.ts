import { BlockList, isIP, isIPv4 } from "node:net";
import { plainAddress } from "./receive.ts";

/** What stands for whoever comes by a proxy that does not say, or says two things; never an address. */
const UNKNOWN = "unknown";

/** No proxy passes on longer chains; what is longer was made up by who sent it. */
const MOST_HOPS = 16;

/** Says who asks, from the address that the connection comes from and the request's headers. */
export type WhoAsks = (peer: string, headers: Readonly<Record<string, string>>) => string;

/**
 * Reads addresses, or networks like `10.0.0.0/8`, of proxies whose word on their callers counts; `undefined` if one is neither.
 *
 * A proxy adds, at the end of `X-Forwarded-For` or `Forwarded` (RFC 7239), the address that called it: from there leftward the first
 * that is no such proxy is the caller, and whatever stands further left was written by it. A request with both headers, or with none, or one
 * that does not parse, is of nobody known; and nobody who comes by a proxy counts as sitting on this machine.
 */
export function behindProxies(texts: readonly string[]): WhoAsks | undefined {
  const proxies = new BlockList();
  for (const text of texts) {
    const [address = "", bits] = text.split("/");
    const family = isIP(address);
    if (family === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))) return undefined;
    if (bits === undefined) proxies.addAddress(address, family === 4 ? "ipv4" : "ipv6");
    else proxies.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
  }
  const isProxy = (address: string): boolean => proxies.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  return (peer, headers) => {
    if (isIP(peer) === 0 || !isProxy(peer)) return peer;
    const hops = hopsOf(headers);
    const caller = hops?.findLast((hop) => hop === undefined || !isProxy(hop));
    return caller === undefined || isOwn(caller) ? UNKNOWN : caller;
  };
}

/** The addresses that proxies wrote, the last that of the caller of the last; `undefined` in the place of one that is none. */
function hopsOf(headers: Readonly<Record<string, string>>): readonly (string | undefined)[] | undefined {
  const [plain, standard] = [headers["x-forwarded-for"], headers["forwarded"]];
  if ((plain === undefined) === (standard === undefined)) return undefined;
  const hops = plain === undefined ? elements(standard ?? "").map(forOf) : plain.split(",").map(addressIn);
  return hops.slice(-MOST_HOPS);
}

/** Cuts a Forwarded header at the commas that stand outside quotes. */
function elements(text: string): readonly string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
}

function forOf(element: string): string | undefined {
  const value = /(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)/i.exec(element)?.[1];
  return value === undefined ? undefined : addressIn(value.trim().replace(/^"(.*)"$/, "$1"));
}

/** An IP literal, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function addressIn(text: string): string | undefined {
  const bare = text.trim().replace(/^\[([^\]]*)\](?::\d{1,5})?$/, "$1").replace(/^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/, "$1");
  return isIP(bare) === 0 || bare.includes("%") ? undefined : plainAddress(bare);
}

function isOwn(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
