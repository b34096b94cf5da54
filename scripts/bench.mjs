// npm run bench [-- NAME...] [--json] [--write]: hands over to bench/run.ts on the pinned Node.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare, root } from "./prepare.mjs";

const { status } = spawnSync(await prepare(), [join(root, "bench", "run.ts"), ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
