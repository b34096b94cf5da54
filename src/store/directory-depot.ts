import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { type FileHandle, link, open, readdir, readFile, rename, rm, stat, unlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canonicalJson } from "../bytes/canonical-json.ts";
import { toBase64url } from "../bytes/base64url.ts";
import { sha512Text } from "../crypto/digest.ts";
import { randomBytes } from "../crypto/random.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Depot, isDepotName, type Kept, LINGER_MS } from "./depot.ts";
import { translate } from "./sqlite-errors.ts";

/** The file that says whose depot a directory is. */
const LABEL = "depot.json";

/** One folder for each first character of a name. */
const FOLDERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"] as const;

/** A depot's own identifier, and the portal that it was made for. */
export type DepotLabel = { readonly id: string; readonly owner: string };

/** The label of the depot in a directory; undefined where there is none. */
export function depotIn(directory: string): DepotLabel | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, LABEL), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw translate(error);
  }
  const { format, id, owner } = labelIn(text);
  if (typeof format === "number" && format > 1) throw new MeshError("store-newer", `A newer version of the program made the depot in ${directory}.`, "Update this one; nothing was changed.");
  if (format !== 1 || typeof id !== "string" || typeof owner !== "string") throw new MeshError("store-damaged", `The file ${LABEL} in ${directory} does not read as it was written.`, "Restore it from a copy.");
  return { id, owner };
}

function labelIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** Makes a depot in a directory, which it makes where there is none (0700); several may do so at once, and have the same. It is one once its label is there. */
export async function makeDirectoryDepot(directory: string, owner: string): Promise<DepotLabel> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const folder of FOLDERS) mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
    await syncFolder(directory);
    const label = join(directory, LABEL);
    await writeWhole(label, Buffer.from(canonicalJson({ format: 1, id: toBase64url(randomBytes(16)), owner })), link);
    return depotIn(directory) ?? (await Promise.reject(gone(directory)));
  } catch (error) {
    throw told(error);
  }
}

/**
 * Opens the depot in a directory: a file for each value, mode 0600, in a folder named by the first character of its name.
 *
 * A file is written beside its place, synced, given its name, and the folder synced. One that is taken away is first moved aside, so that whoever puts the
 * same octets meanwhile either is seen to have done so, or writes them anew. `changing` lets it clear away what calls that were cut off left.
 */
export function openDirectoryDepot(directory: string, { changing = true }: { readonly changing?: boolean } = {}): Depot {
  return new DirectoryDepot(directory, changing);
}

/** As `get` of the depot in a directory, for whoever copies all of it and has nothing else to do. */
export function readKept(directory: string, name: string): Uint8Array | undefined {
  const folder = join(directory, name.slice(0, 1));
  for (let look = 0; look < 3; look++) {
    for (const file of look === 0 ? [name] : [...readdirSync(folder).filter((one) => isAside(one, name)), name]) {
      try {
        return readFileSync(join(folder, file));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw told(error);
      }
    }
  }
  return undefined;
}

class DirectoryDepot implements Depot {
  readonly #directory: string;
  readonly #changing: boolean;

  constructor(directory: string, changing: boolean) {
    this.#directory = directory;
    this.#changing = changing;
  }

  put(name: string, octets: Uint8Array): Promise<void> {
    return this.#do(async () => {
      const path = this.#path(name);
      const there = (await this.#lingers(path)) ? await ifThere(readFile(path)) : undefined;
      if (there !== undefined && sha512Text(there) === name) return syncFolder(dirname(path));
      await writeWhole(path, octets);
    });
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return this.#do(async () => {
      const path = this.#path(name);
      // It may be moved aside, or back, between two looks.
      for (let look = 0; look < 3; look++) {
        for (const file of look === 0 ? [path] : [...(await this.#aside(name)), path]) {
          const octets = await ifThere(readFile(file));
          if (octets !== undefined) return new Uint8Array(octets.buffer, octets.byteOffset, octets.length);
        }
      }
      if (depotIn(this.#directory) === undefined) throw gone(this.#directory);
      return undefined;
    });
  }

  linger(name: string): Promise<void> {
    return this.#do(async () => void (await this.#lingers(this.#path(name))));
  }

  async *list(): AsyncGenerator<Kept> {
    for (const folder of FOLDERS) {
      for (const file of await this.#do(() => readdir(join(this.#directory, folder)))) {
        const path = join(this.#directory, folder, file);
        const at = await this.#do(async () => (await ifThere(stat(path)))?.mtimeMs);
        if (at !== undefined && isDepotName(file)) yield { name: file, at };
        else if (at !== undefined && this.#changing) await this.#do(() => clear(path, at));
      }
    }
  }

  remove(name: string, before: number): Promise<boolean> {
    return this.#do(async () => {
      const path = this.#path(name);
      const aside = `${path}.${unique()}.leaving`;
      if ((await ifThere(rename(path, aside).then(() => true))) === undefined) return false;
      const at = (await ifThere(stat(aside)))?.mtimeMs ?? Number.POSITIVE_INFINITY;
      if (at < before) await ifThere(unlink(aside));
      else await putBack(aside, path);
      return at < before;
    });
  }

  async #lingers(path: string): Promise<boolean> {
    const now = new Date();
    return (await ifThere(utimes(path, now, now).then(() => true))) === true;
  }

  /** Files of a name that are about to be taken away, or put back. */
  async #aside(name: string): Promise<readonly string[]> {
    const folder = dirname(this.#path(name));
    const files = (await ifThere(readdir(folder))) ?? [];
    return files.filter((file) => isAside(file, name)).map((file) => join(folder, file));
  }

  #path(name: string): string {
    if (!isDepotName(name)) throw new MeshError("store-misused", "This is no name of octets in a depot.");
    return join(this.#directory, name.slice(0, 1), name);
  }

  async #do<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === "ENOENT" || code === "ENOTDIR" ? gone(this.#directory) : told(error);
    }
  }
}

function isAside(file: string, name: string): boolean {
  return file.startsWith(`${name}.`) && file.endsWith(".leaving");
}

/** What a call that was cut off left: half a file goes once it is old, one that was moved aside comes back. */
async function clear(path: string, at: number): Promise<void> {
  const [, whole] = /^(.*\/[\w-]{86})\.\w+\.leaving$/.exec(path) ?? [];
  if (whole !== undefined) await putBack(path, whole);
  else if (path.endsWith(".new") && Date.now() - at > LINGER_MS) await ifThere(unlink(path));
}

/** It may take the place of one that somebody has just put, and so counts as put now. */
async function putBack(aside: string, path: string): Promise<void> {
  const now = new Date();
  await ifThere(utimes(aside, now, now).then(() => rename(aside, path)));
}

/** Writes a file beside its place, and gives it its name there; by `link` what is there stays. */
async function writeWhole(path: string, octets: Uint8Array, name: typeof rename | typeof link = rename): Promise<void> {
  const fresh = `${path}.${unique()}.new`;
  try {
    await closing(await open(fresh, "wx", 0o600), async (file) => {
      await file.writeFile(octets);
      await file.sync();
    });
    await name(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(fresh, { force: true }).catch(() => undefined);
  }
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  await closing(await open(path, "r"), (folder) => folder.sync());
}

async function closing(file: FileHandle, act: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await act(file);
  } finally {
    await file.close();
  }
}

async function ifThere<T>(act: Promise<T>): Promise<T | undefined> {
  try {
    return await act;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function unique(): string {
  return Buffer.from(randomBytes(8)).toString("hex");
}

function told(error: unknown): unknown {
  const one = translate(error);
  return one instanceof MeshError ? one : new MeshError("store-failed", `The depot's disk failed: ${(error as NodeJS.ErrnoException).code ?? "unknown"}.`);
}

function gone(directory: string): MeshError {
  return new MeshError("store-unreachable", `The depot in ${directory} is not there.`, "See whether its disk is mounted.");
}
