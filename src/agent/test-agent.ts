import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ed25519Blob, ed25519Signature } from "../applications/ssh/public-key.ts";
import { equalBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { generateEd25519, signEd25519 } from "../crypto/ed25519.ts";
import { testPasswordParameters } from "../crypto/password-key.ts";
import { createKeyringFile, openKeyringFile } from "../keyring/file.ts";
import { libc } from "../machine/libc.ts";
import { programsOf } from "../machine/programs.ts";
import { makePrompter } from "./prompt.ts";
import { type Agent, type AgentParts, type Held, startAgent } from "./agent.ts";
import { askAgent } from "./ask.ts";
import type { Answer, Caller, Wish } from "./messages.ts";
import { agentPlace, type Asking, type Place } from "./place.ts";

const made = generateEd25519();
/** The key that every test home has for SSH. */
export const sshKey = { blob: ed25519Blob(made.publicKey), seed: made.privateKey, publicKey: made.publicKey };
const quick = { parameters: testPasswordParameters, floor: "test" } as const;

/** A home for tests of agents: a folder with a keyring, under a passphrase that costs nothing. */
export type TestHome = {
  readonly path: string;
  readonly place: Place;
  readonly asking: Asking;
  /** What was asked to be run, by whom. */
  readonly run: Caller[];
  ask(wish: Wish): Promise<Answer | undefined>;
  start(parts?: Partial<AgentParts> & { readonly ssh?: Partial<Held["ssh"]> }): Promise<Agent>;
  /** Ends every agent that was started, and takes the home away. */
  remove(): Promise<void>;
};

/** Makes one, under the passphrase `geheim` unless none is wanted. */
export async function makeAgentHome(passphrase: string | undefined = "geheim"): Promise<TestHome> {
  const path = mkdtempSync(join(tmpdir(), "mesh-agent-"));
  const keyring = join(path, "keyring.json");
  (await createKeyringFile(keyring, passphrase === undefined || passphrase === "" ? undefined : utf8(passphrase), quick)).close();
  const place = agentPlace(path, {});
  if (place === undefined) throw new Error(`no agent can be in ${path}`);
  const asking = { place, build: "this build" };
  const agents: Agent[] = [];
  const run: Caller[] = [];
  return {
    path,
    place,
    asking,
    run,
    ask: (wish) => askAgent(asking, wish),
    start: async ({ ssh, ...parts } = {}) => {
      const agent = await startAgent({
        place,
        build: asking.build,
        lockAfter: 60_000,
        guards: { peersChecked: true, noDumps: false, noSwap: false },
        peerOf: (await libc())?.peerOf,
        programsOf,
        prompter: makePrompter({}),
        now: Date.now,
        open: async (octets) => ({
          keyring: await openKeyringFile(keyring, octets, quick),
          ssh: { question: async () => undefined, offer: async () => [{ blob: sshKey.blob, comment: "this device" }], sign: async (blob, data) => (equalBytes(blob, sshKey.blob) ? ed25519Signature(signEd25519(sshKey.seed, data)) : undefined), ...ssh },
          run: async (caller) => {
            run.push(caller);
            return { exit: 0, written: [[1, "done\n"]] };
          },
          inStep: { by: () => null, workedAt: () => 0 },
          close: async () => {},
        }),
        rest: async () => {},
        ...parts,
      });
      agents.push(agent);
      return agent;
    },
    remove: async () => {
      for (const agent of agents) await agent.end("asked");
      rmSync(path, { recursive: true, force: true });
    },
  };
}
