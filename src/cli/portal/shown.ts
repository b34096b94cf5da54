import type { Served } from "../../http/serve.ts";
import type { TlsMaterial } from "../../http/listener.ts";
import type { Identity } from "../../portal/context.ts";
import { type CertificateFiles, onChange, readCertificates } from "./certificate.ts";
import { type PortalData, vouchFor } from "./data.ts";
import type { Log } from "./log.ts";

/** What a running portal shows: its certificate, and the profile that vouches for it; both may change while it serves. */
export type Shown = {
  readonly tls: TlsMaterial;
  /** Always the newest profile. */
  readonly identity: Identity;
  /** Keeps a server in step with the files; returns the end of it. */
  follow(served: Served, log: Log): () => void;
};

/** Reads the certificates and has the profile vouch for what users will see (decision 3.5). */
export async function openShown(directory: string, data: PortalData, files: CertificateFiles): Promise<Shown> {
  const { tls, seen } = readCertificates(files, data.tls);
  let current = await vouchFor(directory, data.identity, seen);
  const identity: Identity = {
    sessionKey: current.sessionKey,
    get profile() {
      return current.profile;
    },
    get jws() {
      return current.jws;
    },
  };
  const renew = async (served: Served): Promise<void> => {
    const fresh = readCertificates(files, data.tls);
    // The profile first: nobody may be shown a key that it does not list.
    current = await vouchFor(directory, current, fresh.seen);
    served.renew(fresh.tls);
  };
  return {
    tls,
    identity,
    follow: (served, log) => {
      let under = Promise.resolve();
      return onChange(files, () => {
        under = under.then(() => renew(served)).then(
          () => log.note("info", "certificate-read"),
          // The one shown so far stays; the next look may find them whole.
          (error: unknown) => log.note("error", "certificate-not-read", { fault: error instanceof Error ? error.message : "unknown" }),
        );
      });
    },
  };
}
