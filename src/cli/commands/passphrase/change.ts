import { existsSync } from "node:fs";

import { changePassphrase, keyringNeedsPassphrase } from "../../../keyring/file.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { homePath } from "../../home-path.ts";
import { homeExists, homeFiles, octetsOf } from "../../home.ts";

/**
 * `mesh passphrase change`: seals this home's keyring, and the Master file beside it, under another passphrase.
 *
 * Each file is replaced whole. Cut off between the two, the same command with the same answers finishes.
 */
export async function run(call: Call): Promise<void> {
  const { args, input, output, world } = call;
  const path = homePath(args.text("home"), world.environment);
  demand(homeExists(path), "home-missing", "There is no mesh on this device.");
  const files = homeFiles(path);
  const locked = await keyringNeedsPassphrase(files.keyring);
  const old = locked ? octetsOf(await input.secret("passphrase-file", "Passphrase now")) : undefined;
  const next = args.flag("no-passphrase") ? undefined : octetsOf(await input.newSecret("new-passphrase-file", "New passphrase"));
  if (existsSync(files.master)) await changeUnlessDone(files.master, old, next);
  await changeUnlessDone(files.keyring, old, next);
  output.receipt({ passphrase: next !== undefined }, next === undefined ? "This home has no passphrase any more." : "The passphrase of this home is changed.");
}

async function changeUnlessDone(file: string, old: Uint8Array | undefined, next: Uint8Array | undefined): Promise<void> {
  try {
    await changePassphrase(file, old, next);
  } catch (error) {
    // A change that was cut off between the two files left this one done: under the new passphrase it opens.
    try {
      await changePassphrase(file, next, next);
    } catch {
      throw error;
    }
  }
}
