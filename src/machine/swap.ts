import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Whether no memory of this process can be written to a disk: there is no swap, or its control group has none (`MemorySwapMax=0`). */
export function isNeverSwapped(): boolean {
  // A heading, and a line for each place of swap.
  if (read("/proc/swaps")?.trimEnd().split("\n").length === 1) return true;
  const group = /^0::(\/.*)$/m.exec(read("/proc/self/cgroup") ?? "")?.[1];
  for (let at = group; at !== undefined && at !== "/"; at = dirname(at)) if (read(join("/sys/fs/cgroup", at, "memory.swap.max"))?.trim() === "0") return true;
  return false;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
