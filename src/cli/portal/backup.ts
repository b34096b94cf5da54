import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { replaceFile } from "../../machine/replace-file.ts";
import { forgetLog } from "../../portal/upkeep/forget-log.ts";
import { forgetSessions } from "../../portal/upkeep/sessions.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { type Companion, restoreBackup, writeBackup } from "../../store/sqlite-backup.ts";
import { syncPath } from "../../store/sqlite-format.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import { openPortalData, renewProfile } from "./data.ts";
import { newestLog, withLogKeys } from "./log-keys.ts";
import { settingsText } from "./settings.ts";
import { DEPOT, demandFile, openPortalStore, OUTSIDE } from "./store.ts";
import { addLogKeys } from "./with-log.ts";

/** What of a portal's directory goes into a backup beside the database; `portal.json` last, since its presence says that the rest is there. */
const FILES = ["keyring.json", "certificate.pem", "profile.json", "portal.json"] as const;

/** What was restored. Times are milliseconds. */
export type Restored = { readonly made: number; readonly at: number };

/** Writes everything that makes a portal into one new file, keys included: it is as secret as the directory. Returns how many values of its depot are not whole. */
export async function backUp(directory: string, target: string, now: number): Promise<number> {
  const data = await openPortalData(directory);
  const { database, settings } = data;
  demandFile(data, "Copy the database by PostgreSQL's own means (pg_dump, or a base backup with its log), and the directory beside it.");
  demand(!existsSync(target), "data-exists", `There is a file ${target} already.`, "Give each backup a name of its own.");
  // A portal that was never served has no database yet.
  if (!existsSync(database)) await (await openSqliteStore(database)).close();
  const { depot, ...others } = settings;
  // What is in the depot is in the backup's own rows.
  const companions: readonly Companion[] = FILES.map((name) => ({ name, content: name === "portal.json" ? settingsText(others) : readFileSync(join(directory, name)) }));
  let broken = 0;
  if (depot === undefined) writeBackup(database, target, { companions, made: now });
  else {
    await (await openPortalStore(data, "looking")).close();
    const [{ bringIn }, { readKept }] = await Promise.all([import("../../store/sqlite-depot.ts"), import("../../store/directory-depot.ts")]);
    writeBackup(database, target, { companions, made: now }, (copy) => (broken = bringIn(copy, (name) => readKept(depot, name), DEPOT, OUTSIDE)));
  }
  return broken;
}

/**
 * Makes a portal's directory from a backup, whole or not at all; it must not be there, or be empty. `depot` is where its blobs go, which come out of the backup itself.
 *
 * The restored portal says so under its identity key, in a version of its profile that is above any that the lost one can have had; sessions end,
 * and so does its log: it begins another, with other keys, which is told at the first start what the portal holds.
 */
export async function restore(file: string, directory: string, depot: string | undefined, now: number): Promise<Restored> {
  demand(existsSync(file), "data-missing", `There is no file ${file}.`);
  demand(!existsSync(directory) || isEmpty(directory), "data-exists", `${directory} is not empty.`, "Restore into a new directory, and move the old one away first.");
  const building = `${directory}.${process.pid}.new`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true, mode: 0o700 });
  try {
    const { made, companions } = restoreBackup(file, join(building, "portal.db"));
    for (const name of FILES) {
      const content = companions.find((one) => one.name === name)?.content;
      demand(content !== undefined, "backup-malformed", `This backup lacks the portal's ${name}.`, "Take another one.");
      replaceFile(join(building, name), content);
    }
    const store = await openSqliteStore(join(building, "portal.db"));
    await Promise.all([forgetSessions(store), forgetLog(store)]).finally(() => store.close());
    if (depot !== undefined) {
      const { depotIn } = await import("../../store/directory-depot.ts");
      demand(depotIn(depot) === undefined, "data-exists", `There is a depot in ${depot}.`, "Restore into a new one: the portal that was lost may not be.");
      await (await import("./move-depot.ts")).moveDepot(building, await openPortalData(building), depot);
    }
    // Above any number that the lost one can have had.
    const beyond = 1 + Math.max(0, Math.ceil((now - made) / 1000));
    const { identity, settings } = await openPortalData(building);
    const log = newestLog(identity.profile.payload) + beyond;
    const signers = await addLogKeys(building, settings.domain, log);
    await renewProfile(building, ({ logKeys, version, ...profile }) => ({ ...profile, logKeys: withLogKeys(logKeys, signers), restored: { at: now, backup: made }, version: version + beyond }));
    renameSync(building, directory);
    syncPath(dirname(directory));
    return { made, at: now };
  } catch (error) {
    rmSync(building, { recursive: true, force: true });
    throw error;
  }
}

function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0;
  } catch (error) {
    throw new MeshError("data-damaged", `${directory} cannot be read (${(error as NodeJS.ErrnoException).code ?? "?"}).`);
  }
}
