import { writeSync } from "node:fs";
import { isatty } from "node:tty";

import type { AgentStatus } from "../agent/messages.ts";
import type { Memory } from "../client/view.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Store } from "../store/store.ts";

/** The variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything outside that a command line touches but files and sockets, so that tests can stand in for it. */
export type World = {
  readonly environment: Environment;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Writes all of it to standard output (1) or standard error (2). */
  readonly write: (to: 1 | 2, text: string) => void;
  readonly isTerminal: (stream: 0 | 1 | 2) => boolean;
  /** How wide the terminal of standard output is, in columns; undefined where there is none. */
  readonly columns: () => number | undefined;
  /** The home that this process holds open for its callers, where it is an agent. */
  readonly held?: HeldHome;
};

/** A home that is open before a command runs, and after. */
export type HeldHome = { readonly path: string; readonly keyring: Keyring; readonly store: Store; readonly memory: Memory; readonly agent: () => AgentStatus };

/** This process's own world. */
export function thisWorld(): World {
  return { environment: process.env, now: Date.now, write: writeAll, isTerminal: (stream) => isatty(stream), columns: () => process.stdout.columns };
}

/**
 * Writes synchronously: nothing is lost when the process exits at once, and `process.stdout`, dear to make, is never touched.
 * @throws MeshError `output-failed`, except when the reader has gone, which is its good right (`| head`)
 */
function writeAll(to: 1 | 2, text: string): void {
  const octets = Buffer.from(text);
  for (let at = 0; at < octets.length; ) {
    try {
      at += writeSync(to, octets, at);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw new MeshError("output-failed", `The output could not be written: ${message}.`);
      // A pipe that someone set to non-blocking is full: let its reader come along.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
