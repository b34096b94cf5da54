import { readFileSync, readlinkSync } from "node:fs";

/** The most programs that are told of one after the other. */
const MOST = 3;

/**
 * The file of the program that a process runs, and of those that started it, nearest first; as the kernel says it (/proc), at most three.
 *
 * Empty where that is not known: on another system, or when the process is gone. A process can start another program at any time: it is told who asks, and nothing hangs on it.
 */
export function programsOf(pid: number): readonly string[] {
  const found: string[] = [];
  for (let one: number | undefined = pid; one !== undefined && one > 1 && found.length < MOST; one = parentOf(one)) {
    const file = fileOf(one);
    if (file === undefined) break;
    if (file !== found.at(-1)) found.push(file);
  }
  return found;
}

function fileOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const line = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return line === null ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}
