import { askAgent } from "../agent/ask.ts";
import { agentKeyring, askForResult } from "../agent/keyring.ts";
import type { AgentStatus } from "../agent/messages.ts";
import { agentPlace, type Asking } from "../agent/place.ts";
import { endAgent, ensureAgent, statusOf } from "../agent/start.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { buildName, bundle } from "./bundle.ts";
import type { Call } from "./call.ts";

/** The agent of a home, as a command sees it: there or not. */
export type AgentOfHome = {
  /** What it says of itself, whatever build it is of; undefined where none runs. */
  status(): Promise<AgentStatus | undefined>;
  /** The keys of the home, where an agent of this build holds them. */
  keyring(): Promise<Keyring | undefined>;
  /** Sees to it that one runs; undefined where that does not go. */
  start(options?: readonly string[]): Promise<AgentStatus | undefined>;
  /** Has it open the home; undefined where none runs. Errors as those of a keyring's passphrase. */
  unlock(passphrase: string): Promise<Keyring | undefined>;
  /** Ends it; whether there was one. */
  end(): Promise<boolean>;
};

/** The agent of a home; undefined where there can be none, or `--no-agent` says that it is not to be asked. */
export function agentOf(call: Call, home: string): AgentOfHome | undefined {
  const place = call.args.flag("no-agent") ? undefined : agentPlace(home, call.world.environment);
  if (place === undefined) return undefined;
  const asking: Asking = { place, build: buildName() };
  return {
    status: () => statusOf(asking),
    keyring: async () => {
      const status = await statusOf(asking);
      return status?.unlocked === true && status.build === asking.build ? agentKeyring(asking) : undefined;
    },
    start: async (options = []) => {
      const entry = bundle()?.entry;
      return entry === undefined ? statusOf(asking) : ensureAgent(asking, entry, options);
    },
    unlock: async (passphrase) => {
      if ((await askAgent(asking, { ask: "status" })) === undefined) return undefined;
      await askForResult(asking, { ask: "unlock", passphrase });
      return agentKeyring(asking);
    },
    end: () => endAgent(asking),
  };
}
