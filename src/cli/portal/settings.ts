import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { canonicalJson, type Json } from "../../bytes/canonical-json.ts";
import { parseCanonical } from "../../bytes/json.ts";
import { utf8 } from "../../bytes/text.ts";
import { replaceFile } from "../../machine/replace-file.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { parsePostgresUrl } from "../../store/postgres-url.ts";
import type { Args } from "../args.ts";

/** Files that name the logs for which a portal vouches, files that name who vouches for its own, and how many of these must answer at its start. */
export type Vouching = { readonly cosign?: readonly string[]; readonly cosigners?: readonly string[]; readonly quorum?: number };

/** What an operator decided, and what holds at every start until she says otherwise; the port once taken is kept. */
export type PortalSettings = Vouching & {
  readonly domain: string;
  readonly host: string;
  readonly port: number;
  readonly accounts: "open" | "invited";
  /** The URL of the PostgreSQL database with its records. */
  readonly database?: string;
  /** The directory with what is large of its records. */
  readonly depot?: string;
};

/** Who vouches for a log, at most. */
export const MOST_COSIGNERS = 16;

/** In place of a file: nobody any more. */
const NONE = "none";

/** The settings of a portal's directory; `data-missing` (exit 3), `data-damaged`, `data-newer`. */
export function readSettings(directory: string): PortalSettings {
  const octets = readOptional(join(directory, "portal.json"));
  if (octets === undefined) throw new MeshError("data-missing", `There is no portal in ${directory}.`, `Make one: mesh portal init --data ${directory} --domain NAME`);
  const value = (damagedUnless(() => parseCanonical(octets)) ?? {}) as Partial<PortalSettings> & { readonly format?: Json };
  demand(typeof value.format !== "number" || value.format <= 4, "data-newer", `The portal in ${directory} was made by a newer version.`, "Nothing was changed. Use that version.");
  const { accounts, cosign, cosigners, database, depot, domain, format, host, port, quorum } = value;
  const place = typeof domain === "string" && typeof host === "string" && typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65_535;
  const vouching = [cosign, cosigners].every((one) => one === undefined || isList(one)) && (quorum === undefined || (typeof quorum === "number" && Number.isInteger(quorum) && quorum > 0 && quorum <= MOST_COSIGNERS));
  const whole = place && vouching && (accounts === "open" || accounts === "invited") && [database, depot].every((one) => one === undefined || typeof one === "string");
  demand(whole && format === formatOf(value), "data-damaged", "The portal's settings are damaged.", "Restore portal.json from a backup.");
  return withoutNothing({ accounts, cosign, cosigners, database, depot, domain, host, port, quorum });
}

/** Writes a portal's settings. */
export function keepSettings(directory: string, settings: PortalSettings): void {
  replaceFile(join(directory, "portal.json"), settingsText(settings));
}

/** A portal's settings as they are written. */
export function settingsText(settings: PortalSettings): Uint8Array {
  return utf8(canonicalJson({ ...settings, format: formatOf(settings) } as unknown as Json));
}

/**
 * Has a portal that was never served keep its records in the PostgreSQL database at a URL; one that does so already goes on, also where its server has
 * another name by now. One with a file is refused: its records have to be moved.
 */
export function useDatabase(directory: string, database: string | undefined): void {
  if (database === undefined) return;
  parsePostgresUrl(database);
  const settings = readSettings(directory);
  if (settings.database === database) return;
  demand(settings.database !== undefined || !existsSync(join(directory, "portal.db")), "data-exists", "This portal keeps its records in a file.", `Move them, while it is stopped: mesh portal migrate --data ${directory} --to ${database}`);
  keepSettings(directory, { ...settings, database });
}

/** Keeps in which directory a portal has its depot, once it was found to be that; undefined for none. */
export function keepDepot(directory: string, depot: string | undefined): void {
  const { depot: before, ...settings } = readSettings(directory);
  if (depot !== before) keepSettings(directory, withoutNothing({ ...settings, depot }));
}

/** Who vouches for whom at this start: what the options `--cosign`, `--cosigners` and `--quorum` say, and where they say nothing what was said before. */
export function vouchingNow(args: Args, kept: Vouching): Required<Vouching> {
  const files = (name: "cosign" | "cosigners"): readonly string[] => {
    const said = args.texts(name);
    if (said.length === 0) return kept[name] ?? [];
    demand(said.length === 1 || !said.includes(NONE), "usage-options-conflict", `--${name} names files, or ${NONE}.`);
    return said[0] === NONE ? [] : said.map((file) => resolve(file));
  };
  const [cosign, cosigners, quorum] = [files("cosign"), files("cosigners"), args.number("quorum", 0, MOST_COSIGNERS)];
  demand(cosigners.length > 0 || quorum === undefined, "usage-options-conflict", "--quorum goes with --cosigners.");
  return { cosign, cosigners, quorum: quorum ?? kept.quorum ?? 1 };
}

/** Keeps who vouches for whom, for every start from now on: who forgot it would start unguarded. A quorum of 0 is for one start. */
export function keepVouching(directory: string, { cosign, cosigners, quorum }: Required<Vouching>): void {
  const { cosign: _, cosigners: __, quorum: before, ...settings } = readSettings(directory);
  const least = cosigners.length === 0 ? undefined : quorum === 0 ? before : quorum;
  const next = withoutNothing({ ...settings, cosign: cosign.length === 0 ? undefined : cosign, cosigners: cosigners.length === 0 ? undefined : cosigners, quorum: least === 1 ? undefined : least });
  if (canonicalJson(next as unknown as Json) !== canonicalJson(readSettings(directory) as unknown as Json)) keepSettings(directory, next);
}

/** A file of a portal's directory; undefined where there is none. */
export function readOptional(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new MeshError("data-damaged", `The file ${path} cannot be read.`);
  }
}

/**
 * An older version would make a file of its own where the records are in PostgreSQL (2), start unguarded where others vouch for the log (3), and take names for
 * what they name where there is a depot (4), so each has a format that it does not know.
 */
function formatOf({ cosign, cosigners, database, depot }: Partial<PortalSettings>): 1 | 2 | 3 | 4 {
  if (depot !== undefined) return 4;
  if (cosign !== undefined || cosigners !== undefined) return 3;
  return database === undefined ? 1 : 2;
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
}

function withoutNothing(settings: { readonly [Name in keyof PortalSettings]: PortalSettings[Name] | undefined }): PortalSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as PortalSettings;
}

function damagedUnless<T>(work: () => T): T {
  try {
    return work();
  } catch {
    throw new MeshError("data-damaged", "The portal's settings are damaged.", "Restore portal.json from a backup.");
  }
}
