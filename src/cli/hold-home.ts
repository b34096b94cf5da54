import { statSync } from "node:fs";

import type { Held } from "../agent/agent.ts";
import type { AgentStatus } from "../agent/messages.ts";
import { openKeyringFile } from "../keyring/file.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { openSqliteStore, type SqliteStore } from "../store/sqlite.ts";
import { bundle } from "./bundle.ts";
import { homeFiles, isUpToDate } from "./home.ts";
import { serveLine } from "./serve-line.ts";

/** Opens a home for an agent, to be held until it locks: its keys at once, its rows when a command first needs them. */
export async function holdHome(path: string, passphrase: Uint8Array | undefined, agent: () => AgentStatus): Promise<Held> {
  const files = homeFiles(path);
  const keyring = await openKeyringFile(files.keyring, passphrase);
  let open: { readonly store: SqliteStore; readonly mark: string } | undefined;
  const storeNow = async (): Promise<SqliteStore | undefined> => {
    const mark = markOf(files.store);
    if (open !== undefined && open.mark !== mark) {
      const { store } = open;
      open = undefined;
      await store.close();
    }
    // What cannot be opened well is for the command itself to open, to migrate, or to tell of.
    if (open === undefined && mark !== undefined && isUpToDate(files)) {
      const store = await openSqliteStore(files.store).catch((error: unknown) => {
        if (error instanceof MeshError) return undefined;
        throw error;
      });
      // Two that came at once opened it twice: one stays.
      if (store !== undefined && open !== undefined) await store.close();
      else if (store !== undefined) open = { store, mark };
    }
    return open?.store;
  };
  return {
    keyring,
    run: async (caller) => {
      // What starts next to a stale bundle makes a new one, and runs that.
      if (bundle()?.isFresh() === false) return undefined;
      const store = await storeNow();
      return store === undefined ? undefined : serveLine(caller, { path, keyring, store, agent });
    },
    close: async () => {
      await open?.store.close();
    },
  };
}

function markOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}-${found.ino}`;
}
