import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run, type Sshd, startSshd } from "./sshd.ts";

/** A real sshd whose configuration lies in a folder of this test, as a server that can be managed, and a person whose own ssh gets in. */
export type ManagedServer = {
  readonly sshd: Sshd;
  readonly user: string;
  readonly config: string;
  /** What lies beside the configuration. */
  readonly etc: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly close: () => Promise<void>;
};

/** Starts one; `lines` come after those that include the drop-ins. */
export async function openManaged({ lines = [], include = true }: { readonly lines?: readonly string[]; readonly include?: boolean } = {}): Promise<ManagedServer> {
  const person = mkdtempSync(join(tmpdir(), "mesh-person-"));
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "own", "-f", join(person, "own")]);
  const own = readFileSync(join(person, "own.pub"), "utf8");
  const sshd = await startSshd([...(include ? ["Include %D/sshd_config.d/*.conf"] : []), "AuthorizedKeysFile %D/authorized_keys", "PidFile %D/pid", ...lines], { authorized_keys: own });
  const { folder } = sshd;
  writeFileSync(join(person, "known_hosts"), `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
  writeFileSync(join(person, "config"), `Host *\n  IdentityFile ${person}/own\n  UserKnownHostsFile ${person}/known_hosts\n`);
  mkdirSync(join(person, "bin"));
  writeFileSync(join(person, "bin", "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F '${person}/config' "$@"\n`, { mode: 0o755 });
  return {
    sshd,
    user: sshd.user,
    config: join(folder, "sshd_config"),
    etc: folder,
    environment: { PATH: `${person}/bin:${process.env["PATH"] ?? ""}` },
    close: async () => {
      await sshd.close();
      rmSync(person, { recursive: true, force: true });
    },
  };
}
