// One bench in a process of its own, so that what it measures of memory or of a warmed-up engine is its own: told its file, answers with what it measured.
import type { Bench } from "./bench.ts";

const { bench } = (await import(process.argv[2] ?? "")) as { bench: Bench };
process.send?.(await bench.run(), () => process.exit());
