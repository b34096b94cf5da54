// npm run fuzz [-- TARGET...] [--seconds N | --inputs N] [--seed S] [--keep] [--replay FILE]: hands over to test/fuzz/run.ts on the pinned Node.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare, root } from "./prepare.mjs";

const { status } = spawnSync(await prepare(), [join(root, "test", "fuzz", "run.ts"), ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
