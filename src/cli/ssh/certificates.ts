import type { Certificate } from "../../applications/ssh/certificate.ts";
import { type Certifiable, certificatesOf, certify, lackingCertificates } from "../../applications/ssh/device-certificates.ts";
import type { ServerTrust } from "../../applications/ssh/server-trust.ts";
import { toBase64 } from "../../bytes/base64.ts";
import { fromBase64url } from "../../bytes/base64url.ts";
import { catalogOf, editEntries, readEntries } from "../../client/catalog.ts";
import { type Client, memberSelf } from "../../client/client.ts";
import { sharesOf } from "../../client/shares.ts";
import { sync } from "../../client/sync.ts";
import type { CertificatesRow } from "./own-certificates.ts";
import { authorityOf, trustNow } from "./trust.ts";

/**
 * Has every device certified that this one, as an administration device, owes a certificate, and keeps those by which this device itself gets in.
 *
 * It needs no portal; what was certified goes with the next sync. Returns how many were.
 */
export async function tendCertificates(client: Client): Promise<number> {
  const trust = await trustNow(client);
  const devices = await certifiable(client, trust);
  const issued = await issue(client, trust, devices);
  const self = await memberSelf(client);
  const own = devices.find((one) => one.device === self.device);
  const certificates = own === undefined ? [] : certificatesOf(await readEntries(client, "ssh"), own, trust, seconds(client));
  await keep(client, own, certificates);
  return issued;
}

/** The same, and sends what was certified; nothing where SSH is not set up. The caller has asked its portal just before. */
export async function tendAndSend(client: Client): Promise<void> {
  if ((await client.rows.read((rows) => rows.get("types", "ssh"))) === undefined) return;
  if ((await tendCertificates(client)) > 0) await sync(client);
}

async function issue(client: Client, trust: ServerTrust, devices: readonly Certifiable[]): Promise<number> {
  const authority = await authorityOf(client, trust);
  if (authority === undefined) return 0;
  const by = { authority, device: authority.device };
  const lacking = lackingCertificates(await readEntries(client, "ssh"), devices, by, trust, seconds(client));
  if (lacking.length === 0) return 0;
  const made = await Promise.all(lacking.map((one) => certify(one, by, trust.principal, seconds(client))));
  await editEntries(client, "ssh", () => made);
  return made.length;
}

/** The devices that have a key for SSH and are not out. */
async function certifiable(client: Client, { revokedDevices }: ServerTrust): Promise<readonly Certifiable[]> {
  const row = await client.rows.read(async (rows) => sharesOf(rows, await catalogOf(rows, "ssh")));
  return (row?.shares ?? []).filter((one) => !revokedDevices.includes(one.device)).map(({ device, pub }) => ({ device, key: fromBase64url(pub) }));
}

async function keep(client: Client, own: Certifiable | undefined, certificates: readonly Certificate[]): Promise<void> {
  const row: CertificatesRow = { key: own === undefined ? "" : toBase64(own.key), certificates: certificates.map(({ blob, until }) => ({ blob: toBase64(blob), until })) };
  await client.rows.transact(async (rows) => {
    if (JSON.stringify(await rows.get("certificates", "own")) !== JSON.stringify(row)) await rows.put("certificates", "own", "", row);
  });
}

/** By this device's own clock: a portal's would let it shut everybody out. */
function seconds(client: Client): number {
  return Math.floor(client.now() / 1000);
}
