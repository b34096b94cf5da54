import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { resolve } from "node:path";

import { checkTls, type TlsMaterial } from "../../http/listener.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Args } from "../args.ts";

/** How often files are looked at for a change, in milliseconds; what renews certificates does so days ahead. */
const LOOK_MS = 60_000;

/** Where an operator keeps certificates of her own. */
export type CertificateFiles = {
  /** What this portal shows: certificate, chain behind it, and key. */
  readonly own: { readonly certificate: string; readonly key: string } | undefined;
  /** The certificate that a proxy in front shows in its place. */
  readonly proxy: string | undefined;
};

/** Reads the options `--certificate`, `--certificate-key` and `--proxy-certificate`. */
export function certificateFiles(args: Args): CertificateFiles {
  const [certificate, key, proxy] = ["certificate", "certificate-key", "proxy-certificate"].map((name) => args.text(name));
  demand((certificate === undefined) === (key === undefined), "usage-options-conflict", "--certificate and --certificate-key go together.");
  return { own: certificate === undefined || key === undefined ? undefined : { certificate: resolve(certificate), key: resolve(key) }, proxy: proxy === undefined ? undefined : resolve(proxy) };
}

/** What is in the files now, found fit to be shown: the portal's own certificate, `selfMade` where it has no other, and the one that its users see. */
export function readCertificates({ own, proxy }: CertificateFiles, selfMade: TlsMaterial): { readonly tls: TlsMaterial; readonly seen: string } {
  const tls = own === undefined ? selfMade : { certificatePem: readPem(own.certificate), keyPkcs8Pem: readPem(own.key) };
  if (own !== undefined) checkTls(tls);
  return { tls, seen: proxy === undefined ? tls.certificatePem : readPem(proxy) };
}

/** Calls when one of the files changed, or on SIGHUP; returns the end of it. */
export function onChange({ own, proxy }: CertificateFiles, changed: () => void): () => void {
  const paths = [own?.certificate, own?.key, proxy].filter((path) => path !== undefined);
  // By looking, not by being told: what renews certificates moves links about.
  const look = (): void => changed();
  for (const path of paths) watchFile(path, { interval: LOOK_MS, persistent: false }, look);
  process.on("SIGHUP", changed);
  return () => {
    process.off("SIGHUP", changed);
    for (const path of paths) unwatchFile(path, look);
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new MeshError("input-unreadable", `The file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "?"}).`, "The portal reads it again on SIGHUP: its user must be allowed to.");
  }
}
