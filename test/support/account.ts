import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "./free-port.ts";
import { run, type Sshd, startSshd } from "./sshd.ts";

/** An account on a real server whose home is a folder of this test, and a person whose own ssh gets into it by a key of hers. */
export type Account = {
  readonly sshd: Sshd;
  /** Where it is reached; unless it is cut off. */
  readonly port: number;
  readonly cut: () => Promise<void>;
  readonly mend: () => Promise<void>;
  /** The account's authorized_keys. */
  readonly file: string;
  readonly home: string;
  /** The line that lets the person's own key in. */
  readonly own: string;
  /** The environment in which her `ssh` is found. */
  readonly environment: NodeJS.ProcessEnv;
  /** A folder of hers, and her ssh_config in it. */
  readonly folder: string;
  readonly config: string;
  readonly read: () => string;
  readonly write: (text: string) => void;
  readonly close: () => Promise<void>;
};

/** Opens an account; with `force`, a command that stands in for its login shell (`$SSH_ORIGINAL_COMMAND` is what was asked); with `elsewhere`, a file of its home in which sshd looks for keys instead. */
export async function openAccount(force?: string, elsewhere?: string): Promise<Account> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-person-"));
  const sshd = await startSshd([`AuthorizedKeysFile %D/home/${elsewhere ?? ".ssh/authorized_keys"}`, "SetEnv HOME=%D/home", ...(force === undefined ? [] : [`ForceCommand ${force}`])]);
  const way = await openWay(sshd.port);
  const home = join(sshd.folder, "home");
  const file = join(home, ".ssh", "authorized_keys");
  mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "own", "-f", join(folder, "own")]);
  const own = readFileSync(join(folder, "own.pub"), "utf8").trim();
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${way.port} ${sshd.hostKey}\n`);
  const config = join(folder, "config");
  writeFileSync(config, `Host *\n  IdentityFile ${folder}/own\n  UserKnownHostsFile ${folder}/known_hosts\n`);
  mkdirSync(join(folder, "bin"));
  // Her ssh reads the configuration of this test, and nothing of who runs it.
  writeFileSync(join(folder, "bin", "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F '${config}' "$@"\n`, { mode: 0o755 });
  const write = (text: string): void => writeFileSync(file, text, { encoding: "latin1", mode: 0o600 });
  write(`${own}\n`);
  if (elsewhere !== undefined) writeFileSync(join(home, elsewhere), `${own}\n`, { mode: 0o600 });
  return {
    sshd,
    ...way,
    file,
    home,
    own,
    environment: { PATH: `${folder}/bin:${process.env["PATH"] ?? ""}` },
    folder,
    config,
    read: () => readFileSync(file, "latin1"),
    write,
    close: async () => {
      await way.cut();
      await sshd.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A way to a port of this machine that can be cut, and mended in the same place. */
async function openWay(to: number): Promise<Pick<Account, "port" | "cut" | "mend">> {
  const sockets = new Set<Socket>();
  const port = await freePort();
  let server: Server | undefined;
  const mend = (): Promise<void> => new Promise((done) => {
    server = createServer((client) => {
      const inner = connect(to, "127.0.0.1");
      for (const socket of [client, inner]) sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
      client.pipe(inner).pipe(client);
    }).listen(port, "127.0.0.1", done);
  });
  const cut = (): Promise<void> => new Promise((done) => {
    for (const socket of sockets) socket.destroy();
    if (server === undefined) return done();
    server.close(() => done());
    server = undefined;
  });
  await mend();
  return { port, cut, mend };
}
