import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../test/tree.ts";

/** A portal as its operator starts it: the bundle, through the launcher. */
export type ServedPortal = { readonly pid: number; readonly readyMs: number; readonly end: () => Promise<void> };

/** Starts `mesh portal serve` and waits for its ready line. */
export async function servePortal(directory: string): Promise<ServedPortal> {
  const started = performance.now();
  const child = spawn(join(root, "mesh"), ["portal", "serve", "--data", directory], { stdio: ["ignore", "ignore", "pipe"] });
  await ready(child);
  return { pid: child.pid ?? 0, readyMs: performance.now() - started, end: () => ended(child) };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.once("exit", () => done());
    child.kill("SIGKILL");
  });
}

function ready(child: ChildProcess): Promise<void> {
  let said = "";
  return new Promise((done, fail) => {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("Portal ready at")) done();
    });
    child.once("exit", (status) => fail(new Error(`the portal ended (${status}): ${said}`)));
  });
}
