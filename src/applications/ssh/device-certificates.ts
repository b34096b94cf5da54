import type { Change } from "../../catalogs/entries.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { change, current, type Entry, writes } from "../../catalogs/merge.ts";
import { equalBytes } from "../../bytes/equal.ts";
import { randomBytes } from "../../crypto/random.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { type Authority, type Certificate, ED25519_CERTIFICATE, makeCertificate, readCertificate } from "./certificate.ts";
import { keyLine, readKeyLine } from "./public-key.ts";
import type { ServerTrust } from "./server-trust.ts";

/** How long certificates hold, in seconds: a list revokes them, not the time; renewed at half of it, one that nobody renews holds for more than six months. */
export const LIFETIME = 400 * 86_400;

/** A device whose key for SSH is known: 32 octets of Ed25519. */
export type Certifiable = { readonly device: string; readonly key: Uint8Array };

/** A certificate that a device is to have, and the entry of the one that it had. */
export type Lacking = Certifiable & { readonly entry: Entry | undefined };

type By = { readonly device: string; readonly authority: Pick<Authority, "publicKey"> };

const KIND = "certificate";

/** As many of what an entry held are looked at: whoever wrote something else over a certificate has not taken it away. */
const maxWrites = 16;

/**
 * The certificates by which a device gets into managed servers now: of each authority that counts the one that holds longest; that which holds longest of all first.
 * @param now seconds since 1970
 */
export function certificatesOf(entries: readonly Entry[], { device, key }: Certifiable, { authorities, principal }: Pick<ServerTrust, "authorities" | "principal">, now: number): readonly Certificate[] {
  const best = new Map<string, Certificate>();
  for (const entry of entries.filter((one) => isFor(one, device))) {
    for (const one of certificatesIn(entry)) {
      const by = authorities.find((authority) => equalBytes(authority.key, one.authority));
      if (by === undefined || !holds(one, { device, key }, principal, now)) continue;
      const before = best.get(by.device);
      if (before === undefined || one.until > before.until) best.set(by.device, one);
    }
  }
  return [...best.values()].sort((a, b) => b.until - a.until);
}

/** Which devices an authority is to certify: those that have no certificate of it, or one that has less than half of its time left. */
export function lackingCertificates(entries: readonly Entry[], devices: readonly Certifiable[], by: By, { principal }: Pick<ServerTrust, "principal">, now: number): readonly Lacking[] {
  const trust = { authorities: [{ device: by.device as ServerTrust["authorities"][number]["device"], key: by.authority.publicKey }], principal };
  return devices.flatMap((one): readonly Lacking[] => {
    const [best] = certificatesOf(entries, one, trust, now);
    return best !== undefined && best.until - now >= LIFETIME / 2 ? [] : [{ ...one, entry: entries.find((entry) => isFor(entry, one.device) && current(entry, "authority") === by.device) }];
  });
}

/** Certifies a device: for whom it stands, by its own name, from the beginning of time, so that no clock that is behind shuts it out. */
export async function certify({ device, entry, key }: Lacking, { authority, device: by }: { readonly device: string; readonly authority: Authority }, principal: string, now: number): Promise<Change> {
  const serial = new DataView(randomBytes(8).buffer).getBigUint64(0) | 1n;
  const blob = await makeCertificate({ key, kind: "user", serial, id: device, principals: [principal], from: 0, until: now + LIFETIME }, authority);
  return change(entry?.id ?? newEntryId(), entry, { kind: KIND, device, authority: by, certificate: keyLine({ kind: ED25519_CERTIFICATE, blob }) });
}

/** Whether it was ever said of an entry: whoever says otherwise, or removes it, has not taken the certificate away. */
function isFor(entry: Entry, device: string): boolean {
  return entry.fields["certificate"] !== undefined && writes(entry, "device").some(({ value }) => value === device);
}

function certificatesIn(entry: Entry): readonly Certificate[] {
  return writes(entry, "certificate").slice(0, maxWrites).flatMap(({ value }) => {
    try {
      const { blob, kind } = readKeyLine(typeof value === "string" ? value : "");
      return kind === ED25519_CERTIFICATE ? [readCertificate(blob)] : [];
    } catch (error) {
      if (error instanceof MeshError) return [];
      throw error;
    }
  });
}

/** Another device wrote the entry, and perhaps a thief: what an authority did not sign for this very device is none. */
function holds({ critical = {}, from, id, key, kind, principals, until }: Certificate, device: Certifiable, principal: string, now: number): boolean {
  return kind === "user" && id === device.device && equalBytes(key, device.key) && principals.includes(principal) && Object.keys(critical).length === 0 && from <= now && now < until;
}
