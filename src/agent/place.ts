import { lstatSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

/** Where the agent of a home listens; the home by its one path, whatever links lead to it. */
export type Place = { readonly home: string; readonly directory: string; readonly socket: string; /** Where it answers as an agent of SSH. */ readonly sshSocket: string };

/** Which agent is asked, and by whom. */
export type Asking = { readonly place: Place; readonly build: string };

/** The octets that the name of a local socket may have (`sun_path`, less its end). */
const MOST = 107;

/**
 * Where the agent of a home is: $XDG_RUNTIME_DIR/mesh/<short hash of the home's path>, else the folder `agent` of the home. A runtime folder that is
 * not its user's alone is none (XDG base directory specification).
 *
 * Undefined where every such name is too long for a socket, or there is no home: there is no agent then.
 */
export function agentPlace(path: string, environment: Readonly<Record<string, string | undefined>>): Place | undefined {
  if (!isFolder(path)) return undefined;
  const home = realpathSync(path);
  const runtime = environment["XDG_RUNTIME_DIR"];
  const directories = [...(runtime?.startsWith("/") === true && isPrivate(runtime) ? [join(runtime, "mesh", shortHash(home))] : []), join(home, "agent")];
  for (const directory of directories) {
    const socket = join(directory, "agent.sock");
    if (Buffer.byteLength(socket) <= MOST) return { home, directory, socket, sshSocket: join(directory, "ssh.sock") };
  }
  return undefined;
}

/** Whether a folder is there and its owner's alone, who is this process's user: nobody else put a socket into it. */
export function isPrivate(directory: string): boolean {
  try {
    const { mode, uid } = lstatSync(directory);
    return (mode & 0o170_077) === 0o040_000 && uid === process.geteuid?.();
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** FNV-1a, twice from different beginnings: two homes of one user share no folder, and if they did, each agent still knows its own home. */
function shortHash(text: string): string {
  const octets = Buffer.from(text);
  return [0x811c9dc5, 0x9dc5811c]
    .map((basis) => {
      let hash = basis;
      for (const octet of octets) hash = Math.imul(hash ^ octet, 0x01000193);
      return (hash >>> 0).toString(16).padStart(8, "0");
    })
    .join("");
}
