import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** One thing that a process did to a file of a folder, or of one below it, as the kernel saw it: which thread, and when it began and ended, in seconds since 1970. */
export type Operation = { readonly by: number; readonly at: number; readonly done: number } & Deed;
type Deed =
  | { readonly kind: "create" | "remove" | "sync"; readonly name: string }
  | { readonly kind: "write"; readonly name: string; /** Where; without it, at the end. */ readonly offset?: number; readonly octets: Uint8Array }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "truncate"; readonly name: string; readonly size: number }
  | { readonly kind: "sync-folder"; readonly name: string };

/** How strace is called to write down what a process does to files: `strace ...recording(out) COMMAND`. */
export function recording(out: string): readonly string[] {
  return ["-f", "-qq", "-ttt", "-y", "-xx", "-s", "1000000", "-e", "trace=openat,pwrite64,write,ftruncate,fsync,fdatasync,rename,unlink", "-o", out];
}

/** Reads such a record: what was done to the files in a folder whose names match, in the order in which it ended. */
export function operationsIn(path: string, folder: string, wanted: RegExp): readonly Operation[] {
  const begun = new Map<string, { readonly at: string; readonly call: string }>();
  return readFileSync(path, "latin1").split("\n").flatMap((line) => {
    const [, pid = "", at = "", rest = ""] = /^(\d+)\s+([\d.]+) (.*)$/.exec(line) ?? [];
    if (rest.endsWith(" <unfinished ...>")) {
      begun.set(pid, { at, call: rest.slice(0, -" <unfinished ...>".length) });
      return [];
    }
    const [, tail] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? [];
    const beginning = tail === undefined ? undefined : begun.get(pid);
    const deed = deedOf(beginning === undefined ? rest : `${beginning.call}${tail}`, folder, wanted);
    return deed === undefined ? [] : [{ ...deed, by: Number(pid), at: Number(beginning?.at ?? at), done: Number(at) }];
  });
}

function deedOf(call: string, folder: string, wanted: RegExp): Deed | undefined {
  const [, name = "", args = "", result = ""] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(call) ?? [];
  if (name === "" || result.startsWith("-")) return undefined;
  const place = name === "openat" ? fileOf(/= \d+<(.*?)>$/.exec(call)?.[1], folder) : name === "unlink" || name === "rename" ? fileOf(unhex(args).toString(), folder) : fileOf(/^\d+<(.*?)>/.exec(args)?.[1], folder);
  if (place === undefined) return undefined;
  if (!wanted.test(place)) return (name === "fsync" || name === "fdatasync") && !place.includes(".") ? { kind: "sync-folder", name: place } : undefined;
  switch (name) {
    case "openat":
      return args.includes("O_CREAT") ? { kind: "create", name: place } : undefined;
    case "rename":
      return { kind: "rename", name: place, to: fileOf(unhex(args.slice(args.indexOf(", "))).toString(), folder) ?? "" };
    case "write":
      return { kind: "write", name: place, octets: unhex(args) };
    case "unlink":
      return { kind: "remove", name: place };
    case "fsync":
    case "fdatasync":
      return { kind: "sync", name: place };
    case "ftruncate":
      return { kind: "truncate", name: place, size: Number(/, (\d+)$/.exec(args)?.[1]) };
    case "pwrite64":
      return { kind: "write", name: place, octets: unhex(args), offset: Number(/, (\d+)$/.exec(args)?.[1]) };
    default:
      throw new Error(`a file of interest was written by ${name}`);
  }
}

/** The name of a file in the folder, or of a folder below it; `""` for the folder itself. */
function fileOf(printed: string | undefined, folder: string): string | undefined {
  const path = printed?.includes("\\x") === true ? unhex(`"${printed}"`).toString() : printed;
  return path === folder || path?.startsWith(`${folder}/`) === true ? relative(folder, path) : undefined;
}

function unhex(text: string): Buffer {
  return Buffer.from((/"((?:\\x[0-9a-f]{2})*)"/.exec(text)?.[1] ?? "").replaceAll("\\x", ""), "hex");
}

/** A file on a disk with a cache: what surely survives, and what was done since and may or may not. */
type CachedFile = { kept: Uint8Array; pending: Extract<Operation, { kind: "write" | "truncate" }>[]; named: boolean; before?: string };

/** A disk that keeps what was synced and may lose anything else, each write by itself, and parts of one. */
export class CachedDisk {
  readonly #files = new Map<string, CachedFile>();

  /** Does an operation; a file that was made may lose its name until its folder was synced. */
  take(operation: Operation): void {
    if (operation.kind === "sync-folder") {
      for (const [name, file] of this.#files) if (folderOf(name) === operation.name) Object.assign(file, { named: true, before: undefined });
      return;
    }
    if (operation.kind === "rename") {
      const moved = this.#files.get(operation.name) ?? { kept: new Uint8Array(), pending: [], named: false };
      this.#files.delete(operation.name);
      this.#files.set(operation.to, { ...moved, named: false, ...(moved.named ? { before: operation.name } : {}) });
      return;
    }
    const file = this.#files.get(operation.name) ?? { kept: new Uint8Array(), pending: [], named: false };
    if (operation.kind === "remove") this.#files.delete(operation.name);
    else this.#files.set(operation.name, file);
    if (operation.kind === "write" || operation.kind === "truncate") file.pending.push(operation);
    if (operation.kind === "sync") {
      // What another thread wrote while this one waited is not surely on the disk.
      const covered = file.pending.findIndex((one) => one.done > operation.at);
      file.kept = file.pending.splice(0, covered < 0 ? Infinity : covered).reduce(applied, file.kept);
    }
  }

  /** Whether there is anything that a power cut now might take. */
  get dirty(): boolean {
    return [...this.#files.values()].some((file) => file.pending.length > 0 || !file.named);
  }

  /** Lays out in a folder what is there after a power cut: `survives` decides of each thing that was not synced, and `torn` how much of a write. */
  lay(folder: string, survives: () => boolean, torn: () => number): void {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [now, { kept, pending, named, before }] of this.#files) {
      const name = named || survives() ? now : before;
      if (name === undefined) continue;
      const left = pending.filter(survives).map((one) => (one.kind === "write" ? { ...one, octets: one.octets.subarray(0, Math.ceil((one.octets.length * torn()) / 512) * 512) } : one));
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), left.reduce(applied, kept), { mode: 0o600 });
    }
  }
}

function folderOf(name: string): string {
  return name.includes("/") ? dirname(name) : "";
}

function applied(before: Uint8Array, operation: CachedFile["pending"][number]): Uint8Array {
  const offset = operation.kind === "write" ? (operation.offset ?? before.length) : 0;
  const size = operation.kind === "truncate" ? operation.size : Math.max(before.length, offset + operation.octets.length);
  const after = new Uint8Array(size);
  after.set(before.subarray(0, size));
  if (operation.kind === "write") after.set(operation.octets, offset);
  return after;
}
