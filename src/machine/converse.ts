import { spawn } from "node:child_process";

import { concatBytes } from "../bytes/equal.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/** How a program is run. */
export type How = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds after which it is ended; without, it takes as long as it takes. */
  readonly within?: number | undefined;
  /** Whether what it says on standard error reaches the person. */
  readonly heard?: boolean;
  /** Octets of output after which it is ended. */
  readonly most: number;
  /** Sees all that it said so far, at each piece, and gives what it is told then and nothing after; undefined to wait for more. */
  readonly answer?: (said: Uint8Array) => Promise<Uint8Array | undefined> | undefined;
};

/** What came of it; `status` is undefined for one that was ended. */
export type Ended = { readonly status: number | undefined; readonly said: Uint8Array; readonly late: boolean };

/**
 * Runs a program of this computer to its end, with a conversation of one question and one answer.
 *
 * It ends when the answer is refused, too: what that threw is thrown.
 * @throws MeshError `program-missing`
 */
export function converse(program: string, args: readonly string[], { environment, within, heard, most, answer }: How): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { env: { ...environment }, stdio: ["pipe", "pipe", heard === true ? "inherit" : "ignore"] });
    let said: Uint8Array = new Uint8Array(0);
    let answered = answer === undefined;
    let late = false;
    let refused: { readonly error: unknown } | undefined;
    const refuse = (error: unknown): void => {
      refused ??= { error };
      child.kill();
    };
    const timer = within === undefined ? undefined : setTimeout(() => {
      late = true;
      child.kill();
    }, within);
    // A program that went away says so by its end.
    child.stdin.on("error", () => {});
    if (answered) child.stdin.end();
    const tell = async (): Promise<void> => {
      if (answered || refused !== undefined) return;
      const told = await answer?.(said);
      if (told === undefined) return;
      answered = true;
      child.stdin.end(told);
    };
    let turn = Promise.resolve();
    child.stdout.on("data", (piece: Uint8Array) => {
      said = concatBytes(said, piece);
      if (said.length > most) return refuse(new MeshError("ssh-host-failed", "The server said more than a file of keys holds.", "Nothing was changed; look at what it prints when one logs in."));
      turn = turn.then(tell).catch(refuse);
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(error.code === "ENOENT" ? new MeshError("program-missing", `The program \`${program}\` is not on this computer.`, `Install it (on Debian: ${program === "git" ? "git" : "openssh-client"}).`) : error);
    });
    child.once("close", (status) => {
      clearTimeout(timer);
      void turn.finally(() => {
        if (refused === undefined) resolve({ status: status ?? undefined, said, late });
        else reject(refused.error as Error);
      });
    });
  });
}
