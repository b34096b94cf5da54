import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { MeshError } from "../../refusals/mesh-error.ts";
import { WORDS } from "../../udf/word-list.ts";
import { countPasswords, generatePassphrase, generatePassword, passwordAt } from "./generate.ts";
import { classes, type ClassName, parsePasswordRules, pinRules, type Rules, rulesOf } from "./rules.ts";

const malformed = { code: "password-malformed" };
const count = (password: string, characters: string): number => [...password].filter((one) => characters.includes(one)).length;
const longestRun = (password: string): number => Math.max(0, ...[...password.matchAll(/(.)\1*/gsu)].map((run) => [...run[0]].length));

function satisfies(password: string, rules: Rules): boolean {
  const good = [...password].length === rules.length && [...password].every((one) => rules.characters.includes(one));
  return good && rules.required.every((one) => count(password, one.characters) >= one.least) && longestRun(password) <= (rules.maxRun ?? Infinity);
}

/** Small rules, all of whose passwords can be written down: sets may overlap and ask for more than there can be. */
const small = fc.record({
  length: fc.integer({ min: 1, max: 5 }),
  characters: fc.subarray([..."abcd"], { minLength: 1 }).map((all) => all.join("")),
  required: fc.array(fc.record({ characters: fc.subarray([..."abcdx"], { minLength: 1 }).map((all) => all.join("")), least: fc.integer({ min: 0, max: 3 }) }), { maxLength: 3 }),
  maxRun: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
}).map(({ maxRun, ...rules }): Rules => ({ ...rules, ...(maxRun === undefined ? {} : { maxRun }) }));

function every({ characters, length }: Rules): readonly string[] {
  return length === 0 ? [""] : every({ characters, length: length - 1, required: [] }).flatMap((rest) => [...characters].map((one) => rest + one));
}

suite("generating passwords", () => {
  test("the numbers below the count are all the passwords that satisfy the rules, each once", () => {
    fc.assert(
      fc.property(small, (rules) => {
        const wanted = every(rules).filter((one) => satisfies(one, rules));
        const numbers = Array.from({ length: Number(countPasswords(rules)) }, (_, number) => BigInt(number));
        assert.deepEqual(numbers.map((number) => passwordAt(rules, number)).sort(), [...wanted].sort());
      }),
      { numRuns: 300 },
    );
  });

  test("what is made satisfies what was asked for", () => {
    const wishes = fc.record({
      length: fc.integer({ min: 12, max: 64 }),
      classes: fc.subarray(Object.keys(classes) as ClassName[], { minLength: 1 }),
      also: fc.constantFrom("", "~", "äö€"),
      without: fc.constantFrom("", "ab", "-_"),
    });
    fc.assert(
      fc.property(wishes, fc.integer({ min: 0, max: 3 }), (asked, least) => {
        const name = asked.classes[0] ?? "lower";
        const rules = rulesOf({ ...asked, least: { [name]: least } });
        const { secret } = generatePassword(rules);
        assert.ok(satisfies(secret, rules), secret);
        assert.ok(count(secret, classes[name]) >= least);
        assert.equal(count(secret, asked.without), 0);
        assert.ok(asked.also === "" || count(secret, asked.also) > 0);
      }),
    );
  });

  test("asked for nothing, it has 20 characters, one of every class at least, none that is easily misread, and says its bits", () => {
    for (let round = 0; round < 50; round++) {
      const { secret, bits } = generatePassword();
      assert.equal(secret.length, 20);
      for (const set of Object.values(classes)) assert.ok(count(secret, set) > 0);
      assert.doesNotMatch(secret, /[0O1lIo|`'" \\]/);
      assert.equal(bits, 120.7);
    }
    assert.equal(generatePassword(pinRules(6)).bits, 19.9);
    assert.equal(generatePassword(rulesOf({ length: 256 })).secret.length, 256);
  });

  test("no character comes more often than another", () => {
    const counts = new Map<string, number>();
    const [rounds, length] = [100, 100];
    for (let round = 0; round < rounds; round++) for (const character of generatePassword(rulesOf({ length })).secret) counts.set(character, (counts.get(character) ?? 0) + 1);
    assert.equal(counts.size, 66);
    const mean = (rounds * length) / counts.size;
    const chiSquare = [...counts.values()].reduce((sum, one) => sum + (one - mean) ** 2 / mean, 0);
    // 65 degrees of freedom: above 150 by chance once in tens of millions of runs.
    assert(chiSquare < 150, `chi-square ${chiSquare}`);
  });

  test("rules that nothing satisfies are refused, and so are rules without end", () => {
    for (const rules of [rulesOf({ length: 3 }), rulesOf({ length: 8, least: { digits: 9 } }), { ...pinRules(4), maxRun: 0 }, { ...pinRules(4), characters: "1", maxRun: 2 }]) assert.throws(() => generatePassword(rules), malformed);
    const intricate = rulesOf({ length: 256, least: { lower: 60, upper: 60, digits: 60, symbols: 60 } });
    assert.throws(() => generatePassword(intricate), malformed);
    for (const length of [0, 257, 8.5, Number.NaN]) assert.throws(() => rulesOf({ length }), MeshError);
    for (const wishes of [{ classes: ["digits"], without: "23456789" }, { classes: ["digits"], least: { upper: 1 } }, { also: "\n" }] as const) assert.throws(() => rulesOf(wishes), malformed);
  });

  test("a passphrase is of words of the list, 11 bits each", () => {
    const { secret, bits } = generatePassphrase(6, " ");
    assert.equal(bits, 66);
    assert.ok(secret.split(" ").length === 6 && secret.split(" ").every((word) => WORDS.includes(word)));
  });
});

suite("rules in the form of the passwordrules attribute", () => {
  const rows: readonly [string, Partial<Rules>, readonly (readonly [string, number])[]][] = [
    ["minlength: 20; required: lower; required: [-_]; max-consecutive: 2", { length: 20, maxRun: 2, characters: `${classes.lower}-_` }, [[classes.lower, 1], ["-_", 1]]],
    ["required: lower, upper; allowed: digit", { length: 20, characters: classes.lower + classes.upper + classes.digits }, [[classes.lower + classes.upper, 1]]],
    ["maxlength: 6; allowed: digit;", { length: 6, characters: classes.digits }, []],
    ["minlength: 8; minlength: 30; maxlength: 64; maxlength: 40", { length: 30 }, []],
    ["", { length: 20, characters: Object.values(classes).join("") }, []],
    ["required:[;:,]; required: []]; max-consecutive: 3; max-consecutive: 1", { maxRun: 1, characters: ";:,]" }, [[";:,", 1], ["]", 1]]],
    ["REQUIRED: Upper ;; allowed: unicode", { characters: classes.upper + classes.lower + classes.digits + classes.symbols }, [[classes.upper, 1]]],
  ];
  for (const [text, wanted, required] of rows) {
    test(JSON.stringify(text), () => {
      const rules = parsePasswordRules(text);
      assert.deepEqual({ ...rules, required: rules.required.map((one) => [one.characters, one.least]) }, { ...rules, ...wanted, required });
      const { secret } = generatePassword(rules);
      assert.ok(satisfies(secret, rules), secret);
    });
  }

  test("what is not known, contradicts itself or has no end is refused", () => {
    for (const text of ["minlength: 20; required: emoji", "colour: red", "minlength", "minlength: x", "required: [abc", "required:", "required: lower upper", "minlength: 30; maxlength: 20", "minlength: 300", `required: [${"a".repeat(3000)}]`, "required: lower;".repeat(17)]) {
      assert.throws(() => parsePasswordRules(text), malformed, text);
    }
    assert.throws(() => parsePasswordRules("minlength: 8; maxlength: 12", 20), malformed);
  });
});
