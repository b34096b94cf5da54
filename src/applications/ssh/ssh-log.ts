import { fingerprintForm } from "./host.ts";

/** What OpenSSH's `ssh -v` tells of one connection. */
export type Connection = {
  /** The host key that it met, by kind and fingerprint; of a certificate the key in it. */
  readonly met: { readonly kind: string; readonly fingerprint: string } | undefined;
  readonly authenticated: boolean;
  /** The fingerprint of the key by which it got in, or of the key in that certificate; undefined where it was let in otherwise. */
  readonly by: string | undefined;
  /** Why it ended where it did not get in. */
  readonly trouble: "changed" | "unknown" | "refused" | "unreachable" | undefined;
  /** What ssh itself said last of that, in its words. */
  readonly words: string;
};

/** Reads what ssh wrote with -v (measured with OpenSSH 9.2; its words have been so since 6). */
export function readConnection(log: string): Connection {
  const lines = log.split("\n").map((line) => line.trim());
  const met = lines.map((line) => /^debug1: Server host key: ([a-z0-9@.-]+?)(?:-cert-v\d\d@openssh\.com)? (SHA256:\S+)$/.exec(line)).findLast((one) => one !== null);
  const authenticated = lines.some((line) => /^(?:debug1: Authentication succeeded|Authenticated to )/.test(line));
  const accepted = lines.findLast((line) => line.startsWith("debug1: Server accepts key: "))?.split(" ").find((word) => fingerprintForm.test(word));
  const said = lines.filter((line) => line !== "" && !/^(?:debug\d:|OpenSSH_|Authenticated to |Transferred: |Bytes per second: )/.test(line));
  const words = (said.findLast((line) => !/^(?:@|Please contact|Add correct|Offending)/.test(line)) ?? "").replaceAll(/[^\x20-\x7e]/g, "").slice(0, 200);
  const [kind = "", fingerprint = ""] = met?.slice(1) ?? [];
  return { met: fingerprintForm.test(fingerprint) ? { kind, fingerprint } : undefined, authenticated, by: authenticated && lines.some((line) => /^Authenticated to .* using "publickey"/.test(line)) ? accepted : undefined, trouble: authenticated ? undefined : troubleIn(said), words };
}

function troubleIn(said: readonly string[]): Connection["trouble"] {
  const has = (form: RegExp) => said.some((line) => form.test(line));
  if (has(/REMOTE HOST IDENTIFICATION HAS CHANGED|^(?:Host key for .* has changed|.*REVOKED HOST KEY)/)) return "changed";
  if (has(/^Host key verification failed\.?$/)) return "unknown";
  if (has(/Permission denied \(|Too many authentication failures/)) return "refused";
  return "unreachable";
}
