import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Answer, Order } from "../child.ts";

/** A child that began no input for so long hangs in the last one; much longer than an input may take, since a busy machine may let it wait. */
const SILENCE_MS = 60_000;

/** Fuzzes one target in a process of its own. If that hangs or ends, the input at which it did is the failure. */
export function watched(order: Omit<Order, "record">): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-fuzz-"));
  const record = join(folder, "input");
  const child = fork(join(dirname(import.meta.dirname), "child.ts"), [JSON.stringify({ ...order, record })], { execArgv: ["--max-old-space-size=1024"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise((resolve) => {
    let answer: Answer | undefined;
    let hung = false;
    const timer = setInterval(() => {
      const found = statSync(record, { throwIfNoEntry: false });
      // Before its first input it only loads.
      hung = found !== undefined && found.size > 0 && Date.now() - found.mtimeMs > SILENCE_MS;
      if (hung) child.kill("SIGKILL");
    }, 5000);
    child.once("message", (said) => {
      answer = said as Answer;
    });
    child.once("exit", (status, signal) => {
      clearInterval(timer);
      const way = hung ? "hang" : "end";
      const error = hung ? `the process began no other input for ${SILENCE_MS / 1000} s` : `the process ended (${status ?? signal})`;
      resolve(answer ?? { target: order.target, inputs: 0, cpuSeconds: 0, reached: { blocks: 0, of: 0 }, slowestMs: 0, grown: 0, corpus: 0, failures: [{ way, error, hex: recorded(record).toHex() }] });
      rmSync(folder, { recursive: true, force: true });
    });
  });
}

function recorded(path: string): Uint8Array {
  const octets = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  return octets.length < 4 ? new Uint8Array(0) : octets.subarray(4, 4 + octets.readUInt32LE(0));
}
