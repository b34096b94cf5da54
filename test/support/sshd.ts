import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { freePort } from "./free-port.ts";

/** A real sshd on the loopback device, which lets in whoever runs it. */
export type Sshd = {
  readonly port: number;
  readonly folder: string;
  readonly user: string;
  /** Its public host key, as a line. */
  readonly hostKey: string;
  /** What it has logged. */
  readonly said: () => string;
  readonly close: () => Promise<void>;
};

/** Starts one with lines of configuration, in which `%D` stands for its folder; files that they name are written first. */
export async function startSshd(lines: readonly string[], files: Readonly<Record<string, Uint8Array | string>> = {}): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-sshd-"));
  const port = await freePort();
  // Root's sshd wants an empty folder to confine itself to; Debian makes it when the service starts.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "host")]);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const config = [`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${folder}/host`, ...(lines.some((line) => line.startsWith("PidFile ")) ? [] : ["PidFile none"]), "UsePAM no", "StrictModes no", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password", "LogLevel VERBOSE", ...lines.map((line) => line.replaceAll("%D", folder))];
  writeFileSync(join(folder, "sshd_config"), `${config.join("\n")}\n`);
  chmodSync(folder, 0o755);
  const log = join(folder, "log");
  const child = spawn("/usr/sbin/sshd", ["-D", "-E", log, "-f", join(folder, "sshd_config")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const said = () => readFileSync(log, { encoding: "utf8", flag: "a+" });
  for (let tries = 0; !(await listens(port)); tries++) {
    if (child.exitCode !== null || tries > 200) throw new Error(`sshd did not start: ${said()}`);
    await wait(20);
  }
  return {
    port,
    folder,
    user: userInfo().username,
    hostKey: readFileSync(join(folder, "host.pub"), "utf8").trim(),
    said,
    close: async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a program to its end; throws what it said unless it ended with 0. */
export function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });
}
