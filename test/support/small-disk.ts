import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of its own for a test: small, in memory, and mounted where only the test sees it. */
export type SmallDisk = {
  /** Where it is, for what runs inside. */
  readonly path: string;
  /** Where it is, for the test itself. */
  readonly seen: string;
  /** What goes before a line of shell so that it runs where the disk is. */
  readonly inside: string;
  /** Writes until nothing more goes on it, and takes that away again. */
  fill(): void;
  free(): void;
  /** Mounts it for reading only, or for writing again; nothing may have a file of it open for writing. */
  readOnly(on: boolean): void;
  close(): void;
};

/** Whether this machine lets a test mount a disk of its own. */
export function canMount(): boolean {
  return spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/tmp"], { stdio: "ignore" }).status === 0;
}

/** Mounts a disk of so many KiB in a namespace that a process of its own keeps open. */
export async function openSmallDisk(kibibytes: number): Promise<SmallDisk> {
  const path = mkdtempSync(join(tmpdir(), "mesh-disk-"));
  const keeper = spawn("unshare", ["-rm", "sh", "-c", `mount -t tmpfs -o size=${kibibytes}k,mode=700 none ${path} && echo mounted && exec sleep 600`], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((done, fail) => {
    keeper.stdout.once("data", done);
    keeper.once("exit", fail);
  });
  const enter = ["-t", String(keeper.pid), "-U", "-m", "--preserve-credentials"];
  const seen = `/proc/${keeper.pid}/root${path}`;
  const filler = join(seen, "filler");
  return {
    path,
    seen,
    inside: `nsenter ${enter.join(" ")}`,
    fill: () => {
      for (let octets = 1 << 16; octets >= 1; octets >>= 1) {
        try {
          for (;;) appendFileSync(filler, new Uint8Array(octets));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
    },
    free: () => truncateSync(filler),
    readOnly: (on) => {
      const { status, stderr } = spawnSync("nsenter", [...enter, "mount", "-o", `remount,${on ? "ro" : "rw"}`, path], { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
    },
    close: () => {
      keeper.kill("SIGKILL");
      mkdirSync(path, { recursive: true });
      rmSync(path, { recursive: true, force: true });
    },
  };
}
