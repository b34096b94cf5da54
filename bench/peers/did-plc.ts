import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, renameSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { drive, type Round } from "../portal/round.ts";

const FILES = ["package.json", "package-lock.json", "serve.mjs", "operations.mjs"];
/** Part of the folder's name: raised when what is in it changes. */
const GENERATION = 1;

/** An operation that creates an identity, as it is sent. */
export type Creation = { readonly path: string; readonly body: Buffer; readonly good: true };

const run = promisify(execFile);

/** Where the peer is installed, with what it needs; it is kept in the folder for temporary files. */
export async function installPeer(say: (line: string) => void): Promise<string> {
  const folder = join(tmpdir(), `mesh-bench-did-plc-${GENERATION}`);
  if (existsSync(folder)) return folder;
  say(`installing the did:plc server in ${folder}, once`);
  const draft = mkdtempSync(`${folder}-`);
  for (const name of FILES) copyFileSync(join(import.meta.dirname, "did-plc", name), join(draft, name));
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: draft });
  renameSync(draft, folder);
  return folder;
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
