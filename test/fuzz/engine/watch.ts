import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Answer, Order } from "../child.ts";

/** How long a child may go on after its time before it counts as hanging: seeds, halving and shortening take time too. */
const GRACE_MS = 120_000;

/** Fuzzes one target in a process of its own. If that hangs or ends, the input at which it did is the failure. */
export function watched(order: Omit<Order, "record">): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-fuzz-"));
  const record = join(folder, "input");
  const child = fork(join(dirname(import.meta.dirname), "child.ts"), [JSON.stringify({ ...order, record })], { execArgv: ["--max-old-space-size=1024"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((resolve) => {
    let answer: Answer | undefined;
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, order.effort.ms + GRACE_MS);
    child.once("message", (said) => {
      answer = said as Answer;
    });
    child.once("exit", (status, signal) => {
      clearTimeout(timer);
      const way = hung ? "hang" : "end";
      const error = hung ? "the process did not answer" : `the process ended (${status ?? signal})`;
      resolve(answer ?? { target: order.target, inputs: 0, cpuSeconds: 0, reached: { blocks: 0, of: 0 }, slowestMs: 0, grown: 0, corpus: 0, failures: [{ way, error, hex: recorded(record).toHex() }] });
      rmSync(folder, { recursive: true, force: true });
    });
  });
}

function recorded(path: string): Uint8Array {
  const octets = readFileSync(path);
  return octets.length < 4 ? new Uint8Array(0) : octets.subarray(4, 4 + octets.readUInt32LE(0));
}
