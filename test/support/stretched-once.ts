import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { callbackify, promisify } from "node:util";

const known = new Map<string, Promise<Buffer<ArrayBuffer>>>();
let begun = false;

/**
 * From now on nothing is stretched twice in this process: whoever asks to join and whoever lets her in derive the same words, again
 * whenever they ask again, and each time costs 0.3 s by design.
 *
 * What is remembered is what Argon2id gave for the very same input, so that nothing is weaker or other than it is.
 */
export function stretchOnce(): void {
  if (begun) return;
  begun = true;
  const derive = promisify(crypto.argon2);
  const once = async (algorithm: crypto.Argon2Algorithm, parameters: crypto.Argon2Parameters): Promise<Buffer<ArrayBuffer>> => {
    const input = JSON.stringify([algorithm, parameters], (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value));
    const derived = known.get(input) ?? derive(algorithm, parameters);
    known.set(input, derived);
    // A copy: whoever gets octets may wipe them.
    return Buffer.from(await derived);
  };
  crypto.argon2 = callbackify(once);
  syncBuiltinESMExports();
}
