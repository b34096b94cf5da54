import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { drive, type Round } from "../portal/round.ts";
import { installPeer } from "./install.ts";

/** An operation that creates an identity, as it is sent. */
export type Creation = { readonly path: string; readonly body: Buffer; readonly good: true };

const run = promisify(execFile);

/** Where the server is installed. */
export function installDidPlc(say: (line: string) => void): Promise<string> {
  return installPeer("did-plc", 1, ["serve.mjs", "operations.mjs"], say);
}

/** Starts the server on a database, empty until then, as the user `mesh`: it reads no user from the URL of a socket. */
export async function startPeer(folder: string, database: string): Promise<{ readonly port: number; readonly end: () => void }> {
  const child = fork(join(folder, "serve.mjs"), [database, "0"], { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"], env: { ...process.env, NODE_ENV: "production", PGUSER: "mesh" } });
  child.once("exit", (status) => status !== null && child.emit("error", new Error(`the did:plc server ended (${status})`)));
  const [port] = (await once(child, "message")) as [number];
  return { port, end: () => void child.kill() };
}

/** Signs operations for a round. */
export async function creations(folder: string, count: number): Promise<readonly Creation[]> {
  const { stdout } = await run(process.execPath, [join(folder, "operations.mjs"), String(count)], { maxBuffer: 64 << 20 });
  return stdout.trimEnd().split("\n").map((line) => {
    const { did, op } = JSON.parse(line) as { did: string; op: object };
    return { body: Buffer.from(JSON.stringify(op)), good: true, path: `/${did}` };
  });
}

/** Sends them, so many at once, on connections that stay open. */
export async function createAll(port: number, items: readonly Creation[], atOnce: number): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  try {
    return await drive(items, atOnce, async ({ path, body }) => {
      const sent = request({ agent, host: "127.0.0.1", port, path, method: "POST", headers: { "content-length": body.length, "content-type": "application/json" } });
      sent.end(body);
      const [answer] = (await once(sent, "response")) as [IncomingMessage];
      answer.resume();
      await once(answer, "end");
      return answer.statusCode === 200;
    });
  } finally {
    agent.destroy();
  }
}
