import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../tree.ts";

/** How a command ended, and what it said. */
export type Ran = { readonly command: string; readonly status: number | null; readonly signal: NodeJS.Signals | null; readonly stdout: string; readonly stderr: string };

/** A command that is under way; killing it kills that one process and nothing else. */
export type Running = { readonly pid: number; readonly ended: Promise<Ran>; readonly kill: (signal?: NodeJS.Signals) => void };

/** A real portal process on the loopback device, with a directory of its own. */
export type PortalProcess = {
  readonly directory: string;
  /** Its URL with its pin. */
  readonly url: string;
  readonly pin: string;
  readonly port: number;
  /** Starts it, and waits for its ready line. */
  start(): Promise<void>;
  /** Ends it as an operator does, or with SIGKILL; returns when it is gone. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Sends it a signal that does not end it. */
  signal(name: "SIGHUP" | "SIGSTOP" | "SIGCONT"): void;
  readonly running: () => boolean;
  /** What it has written to standard error since it was last started. */
  readonly said: () => string;
};

/**
 * A folder in which devices and portals of one test live as real processes: `./mesh` of this checkout, nothing of the
 * person's own environment, and everything ended and removed by `close`.
 */
export type Place = {
  readonly folder: string;
  /** The home of a device: each name is a device of its own. */
  home(device: string): string;
  /** Runs `mesh` as a device. */
  mesh(device: string, args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ran>;
  /** As `mesh`, and hands out the process at once. */
  start(device: string, args: readonly string[], environment?: Readonly<Record<string, string>>): Running;
  /** Runs one line of shell as a device, in the folder, with `mesh` on its path. */
  shell(device: string, line: string, environment?: Readonly<Record<string, string>>): Promise<Ran>;
  /** As `mesh --json`; throws unless it ends with one of the statuses allowed. */
  json<T>(device: string, args: readonly string[], allowed?: readonly number[]): Promise<T>;
  /** Writes a file into the folder and returns its path. */
  file(name: string, text: string): string;
  /** Makes a portal and starts it. */
  portal(options?: { readonly domain?: string; readonly listen?: string; readonly name?: string; readonly serve?: readonly string[] }): Promise<PortalProcess>;
  /** A portal whose directory a test makes by itself, not started; its `url` and `pin` are for the test to know. */
  made(directory: string, serve?: readonly string[]): PortalProcess;
  /** Ends what still runs, by process id, and removes the folder. */
  close(): Promise<void>;
};

/** Opens a place; `test.after(place.close)` or `await place.close()` cleans up. */
export function openPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "mesh-place-"));
  const children = new Set<ChildProcess>();
  symlinkSync(join(root, "mesh"), join(folder, "mesh"));
  const home = (device: string): string => join(folder, device);
  const start = (device: string, command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Running => {
    const env = { HOME: folder, PATH: `${folder}:${process.env["PATH"] ?? ""}`, MESH_HOME: home(device), MESH_NO_AGENT: "1", UV_THREADPOOL_SIZE: "2", ...environment };
    const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    return { pid: child.pid ?? 0, ended: endOf(child, `${command} ${args.join(" ")}`).finally(() => children.delete(child)), kill: (signal = "SIGKILL") => void child.kill(signal) };
  };
  const startMesh: Place["start"] = (device, args, environment) => start(device, join(root, "mesh"), args, environment);
  const mesh: Place["mesh"] = (device, args, environment) => startMesh(device, args, environment).ended;
  const json: Place["json"] = async <T>(device: string, args: readonly string[], allowed: readonly number[] = [0]) => {
    const ran = await mesh(device, [...args, "--json"]);
    if (!allowed.includes(ran.status ?? -1)) throw new Error(`${device}$ mesh ${args.join(" ")}\nexit ${ran.status ?? ran.signal}\n${ran.stdout}${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  };
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const portal: Place["portal"] = async ({ domain = "example.com", listen, name = "portal", serve = [] } = {}) => {
    const directory = home(name);
    const made = await json<{ url: string; fingerprint: string }>(name, ["portal", "init", "--data", directory, "--domain", domain, ...(listen === undefined ? [] : ["--listen", listen])]);
    const process = portalProcess(directory, made.url, made.fingerprint, () => startMeshPortal(name, directory, serve));
    await process.start();
    return process;
  };
  const startMeshPortal = (name: string, directory: string, serve: readonly string[]): ChildProcess => {
    const child = spawn(join(root, "mesh"), ["portal", "serve", "--data", directory, ...serve], { cwd: folder, env: { HOME: folder, PATH: process.env["PATH"] ?? "", MESH_HOME: home(name) }, stdio: ["ignore", "ignore", "pipe"] });
    children.add(child);
    child.once("exit", () => children.delete(child));
    return child;
  };
  const made: Place["made"] = (directory, serve = []) => portalProcess(directory, "https://localhost:1", "", () => startMeshPortal("operator", directory, serve));
  const close = async (): Promise<void> => {
    await Promise.all([...children].map((child) => new Promise<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done();
      child.once("exit", () => done());
      child.kill("SIGKILL");
    })));
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, home, mesh, start: startMesh, shell: (device, line, environment) => start(device, "/bin/sh", ["-c", line], environment).ended, json, file, portal, made, close };
}

function portalProcess(directory: string, url: string, pin: string, spawnOne: () => ChildProcess): PortalProcess {
  let child: ChildProcess | undefined;
  let said = "";
  return {
    directory,
    url,
    pin,
    port: Number(new URL(url).port),
    running: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    said: () => said,
    signal: (name) => void child?.kill(name),
    async start() {
      const one = spawnOne();
      child = one;
      said = "";
      await new Promise<void>((done, fail) => {
        one.stderr?.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          if (said.includes("Portal ready at")) done();
        });
        one.once("exit", (status) => fail(new Error(`the portal ended (${status}) before it was ready: ${said}`)));
      });
    },
    async stop(signal = "SIGTERM") {
      const one = child;
      if (one === undefined || one.exitCode !== null || one.signalCode !== null) return;
      const gone = new Promise((done) => one.once("exit", done));
      one.kill(signal);
      await gone;
    },
  };
}

function endOf(child: ChildProcess, command: string): Promise<Ran> {
  const said = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (status, signal) => done({ command, status, signal, ...said }));
  });
}

/** Whether two Rans ended well; throws with all they said otherwise. */
export function expectStatus(ran: Ran, status: number): Ran {
  if (ran.status !== status) throw new Error(`${ran.command}\nexit ${ran.status ?? ran.signal}, not ${status}\n${ran.stdout}${ran.stderr}`);
  return ran;
}
