import { createAccount, deleteAccount, validateAccount } from "./accounts.ts";
import { dropBlobs, getBlob, listBlobs, putBlob } from "./blobs.ts";
import { catalogAppend, catalogRead } from "./catalogs.ts";
import type { Command } from "./command.ts";
import { connectComplete, connectPending, connectStart, connectStatus } from "./connections.ts";
import { follow } from "./follow.ts";
import { hello } from "./hello.ts";
import { logOpenings } from "./openings.ts";
import { openSession } from "./open-session.ts";
import { get, getProfiles, publish, status } from "./profiles.ts";
import { catalogTrail, releaseCommits } from "./releases.ts";
import { watch } from "./watch.ts";

/** Every command of the portal protocol; server, client and `docs/spec/portal.md` are read off this list. */
export const commands = [
  hello,
  openSession,
  validateAccount,
  createAccount,
  deleteAccount,
  publish,
  get,
  getProfiles,
  status,
  connectStart,
  connectStatus,
  connectPending,
  connectComplete,
  catalogAppend,
  catalogRead,
  catalogTrail,
  releaseCommits,
  putBlob,
  getBlob,
  listBlobs,
  dropBlobs,
  logOpenings,
  follow,
  watch,
] as const;

/** A command by its name on the wire. */
export function commandNamed(name: string): Command<unknown, unknown> | undefined {
  return commands.find((command) => command.name === name) as Command<unknown, unknown> | undefined;
}
