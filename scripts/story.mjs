// npm run story: hands over to test/story/run.ts on the pinned Node.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare, root } from "./prepare.mjs";

const { status } = spawnSync(await prepare(), [join(root, "test", "story", "run.ts"), ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
