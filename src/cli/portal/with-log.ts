import { join } from "node:path";

import { openKeyringFile } from "../../keyring/file.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { openPortalData, type PortalData, renewProfile } from "./data.ts";
import { logKeyEntries, logSigners, type LogSigners, logKeyTexts, newestLog, newLogKeys, withLogKeys } from "./log-keys.ts";

/**
 * A portal with its log: one that an older version of the program made is given keys, and the next version of its profile names them.
 *
 * Cut off between the two, the next start goes on with the keys that are there.
 */
export async function withLog(directory: string, found: PortalData): Promise<PortalData & { readonly log: LogSigners }> {
  if (found.log === undefined) await addLogKeys(directory, found.settings.domain, newestLog(found.identity.profile.payload));
  const data = found.log === undefined ? await openPortalData(directory) : found;
  const { log } = data;
  if (log === undefined) throw new MeshError("data-damaged", "The keys of this portal's log are missing.", "Restore keyring.json from a backup.");
  const texts = logKeyTexts(log);
  if (texts.every((text) => data.identity.profile.payload.logKeys.includes(text))) return { ...data, log };
  await renewProfile(directory, ({ logKeys, version, ...profile }) => ({ ...profile, logKeys: withLogKeys(logKeys, log), version: version + 1 }));
  return { ...(await openPortalData(directory)), log };
}

/** Puts keys for a log into a portal's keyring, and returns what signs with them. */
export async function addLogKeys(directory: string, domain: string, log: number): Promise<LogSigners> {
  const keys = newLogKeys();
  const keyring = await openKeyringFile(join(directory, "keyring.json"), undefined);
  try {
    await keyring.addAll(logKeyEntries(keys, log));
  } finally {
    keyring.close();
  }
  return logSigners(domain, keys, log);
}
