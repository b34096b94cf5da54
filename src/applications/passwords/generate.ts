import { randomBytes } from "../../crypto/random.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { WORDS } from "../../udf/word-list.ts";
import { type Rules, rulesOf } from "./rules.ts";

/** A secret that was made, and of how many it was drawn with equal chance: 2^bits. */
export type Generated = { readonly secret: string; readonly bits: number };

/**
 * Makes a password: one of all those that satisfy the rules, each with the same chance.
 *
 * All of them are counted, one number below the count is drawn, and the password of that number is the one: nothing is
 * placed by hand and nothing thrown away, so strict rules cost no time and the bits are exact.
 * @throws MeshError `password-malformed` if there is none, or if the rules are too intricate to count
 */
export function generatePassword(rules: Rules = rulesOf()): Generated {
  const [counter, start] = counterOf(rules);
  const count = counter.count(start);
  demand(count > 0n, "password-malformed", `No password of ${rules.length} characters satisfies these rules.`);
  return { secret: spell(counter, start, randomBelow(count)), bits: bitsOf(count) };
}

/** Makes a passphrase of words: 11 bits a word, and easy to say, to remember and to type. */
export function generatePassphrase(words: number, separator: string): Generated {
  const picked = Array.from({ length: words }, () => WORDS[Number(randomBelow(BigInt(WORDS.length)))] ?? "");
  return { secret: picked.join(separator), bits: bitsOf(BigInt(WORDS.length) ** BigInt(words)) };
}

/** How many passwords satisfy the rules. */
export function countPasswords(rules: Rules): bigint {
  const [counter, start] = counterOf(rules);
  return counter.count(start);
}

/** The password of a number below their count; different numbers give different passwords. */
export function passwordAt(rules: Rules, number: bigint): string {
  return spell(...counterOf(rules), number);
}

function spell(counter: Counter, start: State, number: bigint): string {
  let [state, left, last, password] = [start, number, "", ""];
  while (state.left > 0) {
    const taken = counter.steps(state).find((step) => {
      const ways = BigInt(step.ways) * counter.count(step.next);
      if (left < ways) return true;
      left -= ways;
      return false;
    });
    if (taken === undefined) throw new RangeError("a number beyond the count of passwords");
    const each = counter.count(taken.next);
    const choices = taken.again ? [last] : (counter.atoms[taken.atom]?.characters ?? []).filter((one) => taken.atom !== state.last || one !== last);
    last = choices[Number(left / each)] ?? "";
    left %= each;
    password += last;
    state = taken.next;
  }
  return password;
}

/** Characters that the rules cannot tell apart, and which requirements they meet. */
type Atom = { readonly characters: readonly string[]; readonly meets: readonly number[] };

/** What matters of the beginning of a password: how many characters are left, how many each requirement still misses, and the atom and length of the run at its end. */
type State = { readonly left: number; readonly missing: readonly number[]; readonly last: number; readonly run: number };

/** One kind of next character: how many there are, and the state after any of them; `again` repeats the last. */
type Step = { readonly atom: number; readonly again: boolean; readonly ways: number; readonly next: State };

/** So many different states are counted at most: a second or so. */
const MAX_STATES = 100_000;

class Counter {
  readonly atoms: readonly Atom[];
  readonly #maxRun: number | undefined;
  readonly #known = new Map<string, bigint>();

  constructor(atoms: readonly Atom[], maxRun: number | undefined) {
    this.atoms = atoms;
    this.#maxRun = maxRun;
  }

  steps({ left, missing, last, run }: State): readonly Step[] {
    const maxRun = this.#maxRun;
    return this.atoms.flatMap(({ characters, meets }, atom): Step[] => {
      const after = missing.map((one, index) => (meets.includes(index) ? Math.max(0, one - 1) : one));
      const next = (length: number): State => ({ left: left - 1, missing: after, last: maxRun === undefined ? -1 : atom, run: maxRun === undefined ? 0 : length });
      if (atom !== last) return [{ atom, again: false, ways: characters.length, next: next(1) }];
      const again = maxRun !== undefined && run < maxRun ? [{ atom, again: true, ways: 1, next: next(run + 1) }] : [];
      return [...again, { atom, again: false, ways: characters.length - 1, next: next(1) }];
    });
  }

  count(state: State): bigint {
    if (state.missing.some((one) => one > state.left)) return 0n;
    if (state.left === 0) return 1n;
    const key = `${state.left} ${state.missing.join(",")} ${state.last} ${state.run}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size > MAX_STATES) throw new MeshError("password-malformed", "These rules are too intricate.", "Ask for a shorter password, or for less.");
    const count = this.steps(state).reduce((sum, { ways, next }) => (ways === 0 ? sum : sum + BigInt(ways) * this.count(next)), 0n);
    this.#known.set(key, count);
    return count;
  }
}

function counterOf({ characters, length, maxRun, required }: Rules): readonly [Counter, State] {
  const atoms = new Map<string, Atom>();
  for (const character of characters) {
    const meets = required.flatMap((one, index) => (one.characters.includes(character) ? [index] : []));
    const atom = atoms.get(meets.join(","));
    atoms.set(meets.join(","), { characters: [...(atom?.characters ?? []), character], meets });
  }
  const run = maxRun !== undefined && maxRun < length ? maxRun : undefined;
  return [new Counter(run === 0 ? [] : [...atoms.values()], run), { left: length, missing: required.map((one) => one.least), last: -1, run: 0 }];
}

/** A number below `end`, each with the same chance: what is not below it is drawn again. */
function randomBelow(end: bigint): bigint {
  const bits = (end - 1n).toString(2).length;
  const spare = BigInt(Math.ceil(bits / 8) * 8 - bits);
  for (;;) {
    const drawn = randomBytes(Math.ceil(bits / 8)).reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n) >> spare;
    if (drawn < end) return drawn;
  }
}

/** The binary logarithm, to a tenth, rounded down. */
function bitsOf(count: bigint): number {
  const text = count.toString(2);
  const exponent = Math.max(0, text.length - 53);
  return Math.floor((Math.log2(Number(count >> BigInt(exponent))) + exponent) * 10) / 10;
}
