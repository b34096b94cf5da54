// npm start: installs what is missing and brings up a personal portal on this machine; ends well where one is running.
//
// All that it knows it has from the contract of the command line: `mesh portal init` makes the portal's folder once, with
// a port that stays, and `mesh portal serve` runs it until a signal and says so in one line with its URL.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { prepare, root } from "./prepare.mjs";

const preferredPort = 7443;
const data = join(process.env.XDG_DATA_HOME || join(process.env.HOME || homedir(), ".local", "share"), "mesh-portal");
const mesh = join(root, "mesh");
/** Beside the portal's folder, which is the portal's own: who serves it now, and where. */
const note = `${data}.running.json`;

await prepare();
const running = await alreadyRunning();
if (running !== undefined) {
  console.log(`Your portal is running: ${running}`);
  explain(running);
} else {
  if (!existsSync(join(data, "portal.json"))) await init();
  serve();
}

/** The URL of a portal that an earlier `npm start` left running: its process lives and its port answers. */
async function alreadyRunning() {
  try {
    const { pid, url } = JSON.parse(readFileSync(note, "utf8"));
    process.kill(pid, 0);
    return (await answers(url)) ? url : undefined;
  } catch {
    return undefined;
  }
}

function answers(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 2000 });
    const done = (answer) => () => resolve((socket.destroy(), answer));
    socket.once("connect", done(true)).once("error", done(false)).once("timeout", done(false));
  });
}

async function init() {
  mkdirSync(dirname(data), { recursive: true });
  const listen = `127.0.0.1:${(await freePort(preferredPort)) ?? (await freePort(0))}`;
  const { status } = spawnSync(mesh, ["portal", "init", "--data", data, "--domain", "localhost", "--listen", listen, "--json"], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}

/** The port if it is free, or any free one for 0. */
function freePort(port) {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const free = server.address().port;
      server.close(() => resolve(free));
    });
  });
}

function serve() {
  const portal = spawn(mesh, ["portal", "serve", "--data", data], { stdio: ["ignore", "inherit", "pipe"] });
  let said = "";
  portal.stderr.on("data", (chunk) => {
    process.stderr.write(chunk);
    if (said === undefined) return;
    said += chunk;
    const url = /https:\/\/\S+#[A-Z0-9-]+/.exec(said)?.[0];
    if (url === undefined) return;
    said = undefined;
    writeFileSync(`${note}.new`, JSON.stringify({ pid: portal.pid, url }));
    renameSync(`${note}.new`, note);
    explain(url);
  });
  // A terminal's Ctrl-C reaches the portal by itself; here we only stay until it has ended in good order.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => portal.kill("SIGTERM"));
  portal.on("exit", (status, signal) => {
    if (said === undefined) rmSync(note, { force: true });
    process.exitCode = status ?? (signal === "SIGINT" ? 130 : 1);
  });
}

function explain(url) {
  console.log(`  Make a mesh:       ./mesh create alice@localhost --portal ${url}
  Join a device:     MESH_HOME=~/mesh-laptop ./mesh join alice@localhost --portal ${url}
  Let it in:         ./mesh device accept "the six words that it shows"`);
}
