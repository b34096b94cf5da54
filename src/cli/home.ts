import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import type { Keyring } from "../keyring/keyring.ts";
import { replaceFile } from "../machine/replace-file.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { SqliteStore } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import type { Call } from "./call.ts";
import { homePath } from "./home-path.ts";

/** All state of one device (decision 11.1), open. */
export type Home = {
  readonly path: string;
  readonly keyring: Keyring;
  readonly store: Store;
  /** Opens the sealed file of the Master and Recovery keys, if it is in this home; `make` makes it if it is not. */
  readonly master: (make?: "make") => Promise<Keyring | undefined>;
};

/** The format that this version writes; the file `format` holds it, and a home is there once that file is. */
const FORMAT = 2;

/** The files of a home. `master` holds the Master and Recovery keys until they are escrowed. */
export function homeFiles(path: string) {
  return { format: join(path, "format"), keyring: join(path, "keyring.json"), master: join(path, "master.json"), store: join(path, "home.db") } as const;
}

/**
 * Whether there is a home at a path, in a state in which it can be opened.
 * @throws MeshError `home-newer`, `home-damaged`, `home-not-private`; it changes nothing
 */
export function homeExists(path: string): boolean {
  const files = homeFiles(path);
  const format = readFormat(files.format);
  if (format === undefined) return false;
  demand(/^[1-9][0-9]{0,8}\n?$/.test(format), "home-damaged", `${files.format} does not hold the number of a format.`, "Restore the home from a backup, or choose another with MESH_HOME.");
  demand(Number(format) <= FORMAT, "home-newer", `The home ${path} was made by a newer version of Mesh (format ${Number(format)}).`, "Bring Mesh up to date; nothing was changed.");
  for (const file of [files.keyring, files.store]) demand(existsSync(file), "home-damaged", `The home ${path} lacks its ${file.slice(path.length + 1)}.`, "Restore the home from a backup, or choose another with MESH_HOME.");
  checkPrivate(path);
  return true;
}

/**
 * Opens the home, asking for its passphrase if it has one; closed when the command is over.
 * @throws MeshError `home-missing`, and as `homeExists`, the keyring and the store
 */
export async function openHome(call: Call): Promise<Home> {
  const { held } = call.world;
  const path = held?.path ?? homePath(call.args.text("home"), call.world.environment);
  demand(homeExists(path), "home-missing", `There is no mesh on this device (in ${path}).`, "Make one with `mesh create ADDRESS`, or join yours with `mesh join ADDRESS`.");
  if (held !== undefined) return { path, keyring: held.keyring, store: held.store, master: async () => undefined };
  const files = homeFiles(path);
  const { keyring, secret } = await openKeyring(call, path, files.keyring);
  call.whenDone(() => keyring.close());
  const { openSqliteStore } = await import("../store/sqlite.ts");
  const store = await openSqliteStore(files.store, { orReading: true });
  call.whenDone(() => store.close());
  const format = Number(readFormat(files.format));
  if (format < FORMAT) await migrate(files, format, keyring, store);
  return { path, keyring, store, master: masterOpener(call, files, secret) };
}

/** Whether a home is of the format that this version writes. */
export function isUpToDate(files: ReturnType<typeof homeFiles>): boolean {
  return Number(readFormat(files.format)) === FORMAT;
}

/** Brings an older home up to date, after a copy of it; cut off anywhere, it is done again the next time (decision 11.2). */
async function migrate(files: ReturnType<typeof homeFiles>, format: number, keyring: Keyring, store: SqliteStore): Promise<void> {
  const [{ migrateHome }, { Rows }] = await Promise.all([import("../client/migrate-home.ts"), import("../client/rows.ts")]);
  const copy = `${files.store}.format-${format}`;
  // What was cut off may have left the rows migrated already: the first copy is the one that counts.
  if (!existsSync(copy)) await store.backup(copy);
  await migrateHome(new Rows(store, keyring));
  replaceFile(files.format, `${FORMAT}\n`);
}

/**
 * Makes a home, or opens the one that is there: `create` and `join` can be run again when they were cut off.
 *
 * The file `format` is written last, so that one cut off before has held nothing yet, and is made afresh.
 * @throws MeshError as `openHome`
 */
export async function makeHome(call: Call, passphrase: () => Promise<string | undefined>): Promise<Home> {
  const path = homePath(call.args.text("home"), call.world.environment);
  if (homeExists(path)) return openHome(call);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // A directory that holds anything else is its owner's affair: not closed to others behind her back.
  if (readdirSync(path).length === 0) chmodSync(path, 0o700);
  checkPrivate(path);
  const files = homeFiles(path);
  const secret = await passphrase();
  const { createKeyringFile } = await import("../keyring/file.ts");
  const keyring = await createKeyringFile(files.keyring, octetsOf(secret));
  call.whenDone(() => keyring.close());
  const { openSqliteStore } = await import("../store/sqlite.ts");
  const store = await openSqliteStore(files.store);
  call.whenDone(() => store.close());
  replaceFile(files.format, `${FORMAT}\n`);
  if (secret !== undefined && call.input.mayAsk && call.args.text("passphrase-file") === undefined) leaveUnlocked(call, path, secret);
  return { path, keyring, store, master: masterOpener(call, files, secret) };
}

/** What was typed need not be typed again for the next command: an agent holds it, as after any that asks. Where none can be had, nothing is lost. */
function leaveUnlocked(call: Call, path: string, secret: string): void {
  const left = (async () => {
    const agent = (await import("./agent-of.ts")).agentOf(call, path);
    if ((await agent?.start()) !== undefined) (await agent?.unlock(secret))?.close();
  })().catch(() => {});
  call.whenDone(() => left);
}

/** The Master file is sealed under the home's passphrase; it is opened only by what needs a Master key, and never by an agent (decision 4.4). */
function masterOpener(call: Call, { keyring: own, master: file }: ReturnType<typeof homeFiles>, secret: string | undefined): Home["master"] {
  return async (make) => {
    const { createKeyringFile, keyringHolds, keyringNeedsPassphrase, openKeyringFile } = await import("../keyring/file.ts");
    // A creation that came to nothing, since the name was taken, leaves a file without a key.
    if (make === undefined && !keyringHolds(file, "master-signature")) return undefined;
    // One that is made is sealed as the home is, whose keys an agent may have opened.
    const needed = secret === undefined && (await keyringNeedsPassphrase(existsSync(file) ? file : own)) ? await askPassphrase(call, "Passphrase, for your Master key") : secret;
    const keyring = await (existsSync(file) ? openKeyringFile(file, octetsOf(needed)) : createKeyringFile(file, octetsOf(needed)));
    call.whenDone(() => keyring.close());
    return keyring;
  };
}

/** A passphrase as the keyring takes it: composed Unicode (NFC), so that one typed on another keyboard is the same. */
export function octetsOf(passphrase: string | undefined): Uint8Array | undefined {
  return passphrase === undefined ? undefined : new TextEncoder().encode(passphrase.normalize("NFC"));
}

/** The keys of a home: by the passphrase in a file, from its agent, or by asking for the passphrase, which leaves them in its agent. */
async function openKeyring(call: Call, path: string, file: string): Promise<{ readonly keyring: Keyring; readonly secret: string | undefined }> {
  const { keyringNeedsPassphrase, openKeyringFile } = await import("../keyring/file.ts");
  const given = await call.input.secretFile("passphrase-file");
  if (given !== undefined || !(await keyringNeedsPassphrase(file))) return { keyring: await openKeyringFile(file, octetsOf(given)), secret: given };
  const agent = (await import("./agent-of.ts")).agentOf(call, path);
  const held = await agent?.keyring();
  if (held !== undefined) return { keyring: held, secret: undefined };
  // It starts while she types.
  const starting = call.input.mayAsk ? agent?.start() : undefined;
  const typed = await askPassphrase(call, "Passphrase");
  await starting;
  return { keyring: (await agent?.unlock(typed)) ?? (await openKeyringFile(file, octetsOf(typed))), secret: typed };
}

async function askPassphrase(call: Call, question: string): Promise<string> {
  if (!call.input.mayAsk) throw new MeshError("keyring-locked", "This device is locked by a passphrase, and there is no one to ask for it.", "Unlock it with `mesh unlock`, give --passphrase-file F, or set MESH_PASSPHRASE_FILE.");
  return call.input.secret("passphrase-file", question);
}

function readFormat(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new MeshError("home-damaged", `${file} cannot be read (${code ?? "unknown"}).`);
  }
}

function checkPrivate(path: string): void {
  const { mode, uid } = statSync(path);
  const own = process.getuid === undefined || process.getuid() === uid;
  demand(own, "home-not-private", `The home ${path} belongs to another user.`, "Choose another home with MESH_HOME.");
  demand((mode & 0o077) === 0, "home-not-private", `Others on this computer may look into the home ${path}.`, `Close it to them: chmod 700 ${path}`);
}
