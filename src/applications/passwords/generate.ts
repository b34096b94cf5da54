import { randomBytes } from "../../crypto/random.ts";
import { demand } from "../../refusals/mesh-error.ts";

/** Letters and digits that no one confuses when reading them aloud or off a screen (no 0 O o, 1 l I), and signs that most sites take. */
const classes = { lower: "abcdefghijkmnpqrstuvwxyz", upper: "ABCDEFGHJKLMNPQRSTUVWXYZ", digits: "23456789", symbols: "-_.+=!?@#%" } as const;

/** What a site demands: how many characters (8 to 256, by default 20, about 120 bits), and whether it bears signs. */
export type Policy = { readonly length?: number; readonly symbols?: boolean };

export const DEFAULT_LENGTH = 20;

/**
 * Makes a password, each one with the same chance, among all those with at least one character of every class.
 * @throws MeshError `password-malformed` for another length
 */
export function generatePassword(policy: Policy = {}): string {
  const length = policy.length ?? DEFAULT_LENGTH;
  demand(Number.isInteger(length) && length >= 8 && length <= 256, "password-malformed", "A password that is made has 8 to 256 characters.");
  const sets = Object.values(classes).filter((set) => policy.symbols !== false || set !== classes.symbols);
  const alphabet = sets.join("");
  for (;;) {
    const password = Array.from({ length }, () => alphabet[randomBelow(alphabet.length)]).join("");
    // Sites demand one of each. Throwing whole passwords away keeps the rest equally likely; placing characters would not.
    if (sets.every((set) => [...password].some((character) => set.includes(character)))) return password;
  }
}

/** A number below `end` (at most 256), each with the same chance: octets past the last whole multiple are drawn again. */
function randomBelow(end: number): number {
  const whole = 256 - (256 % end);
  for (;;) {
    const octet = randomBytes(1)[0] ?? 256;
    if (octet < whole) return octet % end;
  }
}
