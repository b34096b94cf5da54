import { statSync } from "node:fs";

import type { Held } from "../agent/agent.ts";
import type { AgentStatus, Caller, Outcome } from "../agent/messages.ts";
import { type Client, type ClientParts, makeClient } from "../client/client.ts";
import type { Memory } from "../client/view.ts";
import { openKeyringFile } from "../keyring/file.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { SqliteStore } from "../store/sqlite.ts";
import { bundle } from "./bundle.ts";
import type { Call } from "./call.ts";
import { homeFiles, isUpToDate } from "./home.ts";
import type { InStep } from "./in-step.ts";
import { sshKeys } from "./ssh-keys.ts";
import { standBack } from "./stand-back.ts";
import { watchedFreshness } from "./watch-sources.ts";
import type { HeldHome, World } from "./world.ts";

/** So long after it was opened, in milliseconds, an agent begins to keep its home in step. */
const START_MS = 1_000;

/** Opens a home for an agent, to be held until it locks: its keys at once, its rows when a command first needs them. */
export async function holdHome(call: Pick<Call, "served">, path: string, passphrase: Uint8Array | undefined, agent: () => AgentStatus): Promise<Held> {
  const files = homeFiles(path);
  const made = bundle();
  const sources = made === undefined ? undefined : watchedFreshness(made);
  const [keyring, { openSqliteStore }] = await Promise.all([openKeyringFile(files.keyring, passphrase), import("../store/sqlite.ts")]);
  let open: { readonly store: SqliteStore; readonly mark: string; readonly memory: Memory } | undefined;
  const openNow = async (): Promise<typeof open> => {
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
      else if (store !== undefined) open = { store, mark, memory: new Map() };
    }
    return open;
  };
  const inStep = startLater(async () => {
    const [{ keepInStep }, { openConnection }, { keepEvidence }] = await Promise.all([import("./in-step.ts"), import("../http/call.ts"), import("./keep-evidence.ts")]);
    const connect: ClientParts["connect"] = (url, trust) => openConnection(url, { trust });
    const open = async (): Promise<Client | undefined> => {
      const now = await openNow();
      return now === undefined ? undefined : makeClient({ store: now.store, keyring, now: Date.now, connect, standBack, keepEvidence: async (evidence, kind) => keepEvidence(path, evidence, kind) });
    };
    return keepInStep({ open, now: Date.now, chance: Math.random });
  });
  return {
    keyring,
    inStep,
    ssh: sshKeys(async () => {
      const now = await openNow();
      return now === undefined ? undefined : makeClient({ store: now.store, keyring, now: Date.now, connect: () => noPortal(), standBack });
    }),
    run: async (caller) => {
      // What starts next to a stale bundle makes a new one, and runs that.
      if (sources?.isFresh() === false) return undefined;
      const now = await openNow();
      return now === undefined ? undefined : runFor(call, caller, { path, keyring, store: now.store, memory: now.memory, agent });
    },
    close: async () => {
      inStep.stop();
      sources?.close();
      await open?.store.close();
    },
  };
}

/** Begins to keep the home in step a while after it was opened: the command that opened it goes first. */
function startLater(start: () => Promise<InStep>): InStep {
  let [over, kept]: [boolean, InStep | undefined] = [false, undefined];
  const begin = async (): Promise<void> => {
    kept = await start();
    if (over) kept.stop();
  };
  const timer = setTimeout(() => void begin(), START_MS);
  return {
    by: () => kept?.by() ?? null,
    workedAt: () => kept?.workedAt() ?? 0,
    stop: () => {
      over = true;
      clearTimeout(timer);
      kept?.stop();
    },
  };
}

function noPortal(): never {
  throw new TypeError("To sign a login needs no portal.");
}

/** Runs a line on a home that is held open, as its caller would; undefined for what an agent does not run. */
async function runFor(call: Pick<Call, "served">, { argv, environment, terminals, columns }: Caller, held: HeldHome): Promise<Outcome | undefined> {
  const run = call.served(argv, environment);
  if (run === undefined) return undefined;
  const written: [1 | 2, string][] = [];
  const world: World = { environment, now: Date.now, write: (to, text) => void written.push([to, text]), isTerminal: (stream) => terminals[stream], columns: () => columns ?? undefined, held };
  return { exit: await run(world), written };
}

function markOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  // With the time of its birth: the number of a file that is gone is soon another's.
  return found === undefined ? undefined : `${found.dev}-${found.ino}-${found.birthtimeNs}`;
}
