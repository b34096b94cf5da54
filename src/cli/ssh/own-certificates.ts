import { fromBase64, toBase64 } from "../../bytes/base64.ts";
import type { Client } from "../../client/client.ts";

/** The certificates that this device shows servers, as it chose them at its last sync: blobs in base64, with the second at which each ends. */
export type CertificatesRow = { readonly key: string; readonly certificates: readonly { readonly blob: string; readonly until: number }[] };

/** The certificates that this device shows servers, of this key; none that ended meanwhile. */
export async function ownCertificates(client: Client, key: Uint8Array): Promise<readonly Uint8Array[]> {
  const row = await client.rows.read((rows) => rows.get<CertificatesRow>("certificates", "own"));
  if (row?.key !== toBase64(key)) return [];
  return row.certificates.filter((one) => client.now() < one.until * 1000).map((one) => fromBase64(one.blob));
}
