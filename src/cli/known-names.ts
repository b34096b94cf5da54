import { homedir } from "node:os";

import type { Client } from "../client/client.ts";
import { keyringNeedsPassphrase, openKeyringFile } from "../keyring/file.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { Call } from "./call.ts";
import type { NameKind } from "./complete.ts";
import { homePath } from "./home-path.ts";
import { homeExists, homeFiles } from "./home.ts";
import { clientOf } from "./open-client.ts";

/**
 * The names in the home that a line is about, for a shell to complete; none where anything is in the way.
 *
 * A home with a passphrase tells nothing unless its agent holds it, whether or not its passphrase could be had: a Tab must not unlock anything.
 */
export async function knownNames(call: Call, of: NameKind, home: string | undefined): Promise<readonly string[]> {
  // The shell has not expanded what is still being typed.
  const typed = home?.replace(/^~(?=\/|$)/, () => homedir());
  const path = homePath(typed ?? call.args.text("home"), call.world.environment);
  const files = homeFiles(path);
  const { held } = call.world;
  try {
    if (held !== undefined) return await namesIn(await clientOf({ ...held, master: async () => undefined }, call, "offline"), of);
    if (!homeExists(path) || (await keyringNeedsPassphrase(files.keyring))) return [];
    const keyring = await openKeyringFile(files.keyring, undefined);
    call.whenDone(() => keyring.close());
    const store = await openSqliteStore(files.store);
    call.whenDone(() => store.close());
    return await namesIn(await clientOf({ path, keyring, store, master: async () => undefined }, call, "offline"), of);
  } catch (error) {
    if (error instanceof MeshError) return [];
    throw error;
  }
}

async function namesIn(client: Client, of: NameKind): Promise<readonly string[]> {
  if (of === "devices") {
    const { listDevices } = await import("../client/devices.ts");
    return (await listDevices(client)).filter(({ status }) => status !== "disabled").map(({ name }) => name);
  }
  if (of === "servers") {
    const { readHosts } = await import("./ssh/in-step.ts");
    return (await readHosts(client)).map(({ name }) => name);
  }
  const { readEntries, readView } = await import("../client/catalog.ts");
  const { isRemoved } = await import("../catalogs/merge.ts");
  const { listed } = await import("../applications/passwords/listed.ts");
  const { passwordOf } = await import("../applications/passwords/password.ts");
  const found = of === "removed" ? (await readEntries(client, "passwords")).filter(isRemoved).map(passwordOf) : await readView(client, "passwords", listed);
  return [...new Set(found.map(({ name }) => name).filter((name) => name !== ""))];
}
