import { argon2 } from "node:crypto";

import { MeshError } from "../refusals/mesh-error.ts";
import { plain } from "./native.ts";

/** How much work Argon2id does: memory in KiB, passes over it, lanes (RFC 9106 §3.1). Stored beside what the key opens. */
export type PasswordParameters = { readonly memoryKiB: number; readonly passes: number; readonly lanes: number };

/** What new keys are made with: 64 MiB, three passes, one lane (decision 5.2): about 0.3 s. */
export const defaultPasswordParameters: PasswordParameters = { memoryKiB: 64 * 1024, passes: 3, lanes: 1 };

/** The least that any test may ask for, and only by naming the floor "test". */
export const testPasswordParameters: PasswordParameters = { memoryKiB: 8, passes: 1, lanes: 1 };

/** Key length in octets (default 32), and the floor: "test" lets a test be quick, and no product code may name it. */
export type PasswordOptions = { readonly length?: number; readonly floor?: "test" };

// A file from elsewhere must neither weaken the key nor exhaust the machine.
const CEILING: PasswordParameters = { memoryKiB: 1024 * 1024, passes: 16, lanes: 16 };

/**
 * Makes a key from a password with Argon2id (RFC 9106), in the thread pool.
 *
 * Salt: 16 octets or more. Length: 32 to 1,024 octets. `password-key-parameters` where a limit is passed.
 */
export async function passwordKey(password: Uint8Array, salt: Uint8Array, parameters: PasswordParameters = defaultPasswordParameters, options: PasswordOptions = {}): Promise<Uint8Array> {
  const { length = 32, floor } = options;
  checkPasswordParameters(parameters, floor);
  if (salt.length < 16) throw refused("a salt has at least 16 octets");
  if (!Number.isInteger(length) || length < 32 || length > 1024) throw refused("a key has 32 to 1,024 octets");
  return new Promise((resolve, reject) => {
    argon2(
      "argon2id",
      { message: password, nonce: salt, memory: parameters.memoryKiB, passes: parameters.passes, parallelism: parameters.lanes, tagLength: length },
      (error, key) => (error === null ? resolve(plain(key)) : reject(error)),
    );
  });
}

/** Checks parameters read from a file before any work is done: not below the floor (64 MiB, three passes), not above 1 GiB, 16, 16. */
export function checkPasswordParameters(parameters: PasswordParameters, floor?: "test"): void {
  const least = floor === "test" ? testPasswordParameters : defaultPasswordParameters;
  for (const name of ["memoryKiB", "passes", "lanes"] as const) {
    const value = parameters[name];
    if (!Number.isInteger(value) || value < least[name] || value > CEILING[name]) {
      throw refused(`${name} is ${value}, and must be from ${least[name]} to ${CEILING[name]}`);
    }
  }
  if (parameters.memoryKiB < 8 * parameters.lanes) throw refused("each lane needs 8 KiB");
}

function refused(what: string): MeshError {
  return new MeshError("password-key-parameters", `These parameters for a key from a password are refused: ${what}.`);
}
