import { execFile, spawn, type ChildProcess } from "node:child_process";
import { accessSync, appendFileSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A PostgreSQL server of one test file, in a folder of its own, that listens on a Unix socket only. */
export type Cluster = {
  readonly folder: string;
  readonly url: string;
  /** Where it listens: another server may be put there in its stead. */
  readonly socket: string;
  /** Starts the server, and returns when it lets somebody in. */
  start(): Promise<void>;
  /** Ends it at once as a crash does (SIGQUIT: nothing is written any more), or in good order. */
  stop(how?: "crash" | "order"): Promise<void>;
  /** The process ids of the server and of those who serve connections. */
  pids(): Promise<readonly number[]>;
  /** Runs one of PostgreSQL's programs as the server's user. */
  run(program: string, args: readonly string[]): Promise<string>;
  /** Asks the server in SQL, by its own program. */
  ask(sql: string): Promise<string>;
  close(): Promise<void>;
};

/** Where PostgreSQL's programs are; `undefined` where there are none. */
export function postgresPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [...versions.map((version) => join(debian, version, "bin")), ...(process.env["PATH"] ?? "").split(delimiter)].find((folder) => ["initdb", "postgres", "psql"].every((name) => isProgram(join(folder, name))));
}

/** Why a test that needs PostgreSQL is skipped; false where it is not. */
export const withoutPostgres: string | false = postgresPrograms() === undefined ? "PostgreSQL is not installed (Debian: postgresql)" : false;

/** Makes a server and starts it. PostgreSQL refuses to be root: then it runs as nobody. */
export async function openCluster(settings: readonly string[] = [], from?: { readonly folder: string; readonly socket: string }): Promise<Cluster> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error("PostgreSQL is not installed.");
  const folder = from?.folder ?? mkdtempSync(join(tmpdir(), "mesh-pg-"));
  const socket = from?.socket ?? folder;
  const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  // Where it listens to TCP as well, the port names the socket, too.
  const port = settings.find((setting) => setting.startsWith("port = "))?.slice("port = ".length) ?? "5432";
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, LC_ALL: "C", TZ: "UTC", PGPORT: port };
  const options = { ...as, cwd: folder, env };
  const call = async (program: string, args: readonly string[]): Promise<string> => (await run(join(programs, program), args, options)).stdout;
  const data = join(folder, "data");
  if (from === undefined) {
    await call("initdb", ["-D", data, "-U", "mesh", "--auth=trust", "--encoding=UTF8", "--no-sync"]);
    const mine = ["listen_addresses = ''", "max_connections = 60", "shared_buffers = 32MB", ...settings];
    appendFileSync(join(data, "postgresql.conf"), `\n${mine.join("\n")}\n`);
    writeFileSync(join(folder, "log"), "", { mode: 0o666 });
    if (as.uid !== undefined) chownSync(join(folder, "log"), as.uid, as.gid);
  }
  let server: ChildProcess | undefined;
  const gone = async (): Promise<void> => {
    const one = server;
    if (one !== undefined && one.exitCode === null && one.signalCode === null) await new Promise((done) => one.once("exit", done));
    server = undefined;
  };
  const ask = async (sql: string): Promise<string> => (await call("psql", ["-h", socket, "-U", "mesh", "-d", "postgres", "-Atqc", sql])).trim();
  const start = async (): Promise<void> => {
    const one = spawn(join(programs, "postgres"), ["-D", data, "-k", socket], { ...options, stdio: ["ignore", "ignore", "pipe"] });
    server = one;
    let said = "";
    one.stderr.setEncoding("utf8").on("data", (text: string) => (said = `${said}${text}`.slice(-4000)));
    for (let tries = 0; ; tries++) {
      if (await ask("SELECT 1").then(() => true, () => false)) return;
      if (tries > 600 || one.exitCode !== null) throw new Error(`PostgreSQL does not start: ${said}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const stop: Cluster["stop"] = async (how = "order") => {
    server?.kill(how === "crash" ? "SIGQUIT" : "SIGINT");
    await gone();
  };
  await start();
  return {
    folder,
    url: `postgres:///postgres?host=${encodeURIComponent(socket)}&port=${port}&user=mesh`,
    socket,
    start,
    stop,
    pids: async () => [server?.pid ?? 0, ...(await ask("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")).split("\n").filter(Boolean).map(Number)],
    run: call,
    ask,
    close: async () => {
      server?.kill("SIGQUIT");
      await gone();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
