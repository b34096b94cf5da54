import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Round } from "./round.ts";

/** A process of its own that does rounds: bare verification, a portal without HTTP, or the load of one with it. */
export type Worker = { readonly round: (round: number, atOnce: number) => Promise<Round>; readonly end: () => void };

/** Starts a worker in one role with a thread pool of a size: what is to be measured has its cores for itself, and its own pool. */
export async function startWorker(role: string, args: readonly string[], threads: number): Promise<Worker> {
  const child = fork(join(import.meta.dirname, "worker.ts"), [role, ...args], { env: { ...process.env, UV_THREADPOOL_SIZE: String(threads) } });
  const said = async (): Promise<unknown> => ((await once(child, "message")) as [unknown])[0];
  child.once("exit", (status) => status !== 0 && status !== null && child.emit("error", new Error(`the ${role} worker ended (${status})`)));
  await said();
  return {
    async round(round, atOnce) {
      child.send({ round, atOnce });
      return (await said()) as Round;
    },
    end: () => void child.kill(),
  };
}
