import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { atMost, type Bench, interleave, median } from "./bench.ts";

const root = dirname(import.meta.dirname);
const ROUNDS = 80;
const BAR = 1.2;

function runs(command: string, args: readonly string[]): () => void {
  return () => {
    const { status, stderr } = spawnSync(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${String(stderr)}`);
  };
}

/** The start of the command line, as a ratio to an empty module on the same Node. */
export const bench: Bench = {
  name: "cli-start",
  about: `./mesh against an empty Node process of the same version, medians of ${ROUNDS} shuffled starts`,
  run: async () => {
    const scratch = mkdtempSync(join(tmpdir(), "mesh-bench-"));
    const empty = join(scratch, "empty.mjs");
    writeFileSync(empty, "");
    const mesh = join(root, "mesh");
    const [version, help] = [["--version"], ["password", "--help"]];
    runs(mesh, version)(); // builds the bundle where it is stale
    const times = await interleave(ROUNDS, { empty: runs(process.execPath, [empty]), version: runs(mesh, version), help: runs(mesh, help) });
    rmSync(scratch, { recursive: true });

    const base = median(times.empty);
    const against = `empty Node process: ${base.toFixed(1)} ms`;
    return [
      atMost(BAR, { name: "mesh --version", value: median(times.version) / base, unit: "x", against }),
      atMost(BAR, { name: "mesh password --help", value: median(times.help) / base, unit: "x", against }),
    ];
  },
};
