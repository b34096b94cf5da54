import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { codeAt, readOneTime } from "../../../src/applications/passwords/one-time.ts";
import { generatePassword } from "../../../src/applications/passwords/generate.ts";
import { parsePasswordRules } from "../../../src/applications/passwords/rules.ts";
import { judgeArchived } from "../../../src/archive-2017/judge.ts";
import { parseLenient } from "../../../src/archive-2017/lenient-json.ts";
import { readArchived } from "../../../src/archive-2017/signed.ts";
import { stored } from "../../../src/archive-2017/test-objects.ts";
import { toBase64url } from "../../../src/bytes/base64url.ts";
import { complete } from "../../../src/cli/complete.ts";
import { parse, wantsJson } from "../../../src/cli/parse.ts";
import { readSettings } from "../../../src/cli/portal/settings.ts";
import { jsonText, printable, printableLines } from "../../../src/cli/printable.ts";
import { wordsFrom } from "../../../src/cli/shell-words.ts";
import { commands, nouns } from "../../../src/cli/table.ts";
import { isJoinCode, parseJoinCode, showJoinCode } from "../../../src/client/join-code.ts";
import { parsePin, showPin } from "../../../src/client/pin-code.ts";
import { demandAuthentic, keyringOctets, readKeyringFile } from "../../../src/keyring/file-format.ts";
import { hkdf } from "../../../src/crypto/digest.ts";
import { equalBytes } from "../../../src/bytes/equal.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import { udfOf } from "../../../src/udf/udf.ts";
import { hold, octets, type Target, text } from "../target.ts";

const master = udfOf("application/test", new Uint8Array(3));
const pin = `ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345#${master}`;
const joinCode = showJoinCode({ address: "alice_b@example.com", pin, portal: { pin: master, url: "https://[::1]:8663" } });

/** PINs and what QR codes hold. */
export const codes: Target = {
  name: "pins",
  files: ["client/pin-code.ts", "client/join-code.ts"],
  seeds: () => [pin, pin.toLowerCase(), joinCode, joinCode.toLowerCase(), ` ${joinCode}\n`].map(octets),
  words: ["#", "-", "/", "MESH:JOIN/1/", "%5F", "%5B", "%255F", master, "ı", "ſ", "\u212a"],
  most: 400,
  refusals: ["pin-malformed"],
  run: (input) => {
    const given = text(input);
    if (!isJoinCode(given)) return hold(showPin(parsePin(showPin(parsePin(given)))) === showPin(parsePin(given)), "a PIN reads the same again");
    return hold(showJoinCode(parseJoinCode(given)) === given.trim().toUpperCase(), "a join code has one spelling");
  },
};

/** What sites give out: secrets of one-time codes, and rules for passwords. */
export const sites: Target = {
  name: "sites",
  files: ["applications/passwords/one-time.ts", "applications/passwords/rules.ts", "applications/passwords/generate.ts"],
  seeds: () => ["otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ&algorithm=SHA256&digits=8&period=60", "steam://GEZDGNBVGY3TQOJQ", "gezd gnbv", "otpauth://hotp/x?secret=A", "minlength: 20; required: lower; required: [-_]; max-consecutive: 2; allowed: digit, [!]]", "required: upper; maxlength: 12"].map(octets),
  words: ["otpauth://totp/", "secret=", "&digits=", "&period=", "&algorithm=", "encoder=steam", "required:", "allowed:", "max-consecutive: 1", "minlength:", "maxlength:", "[", "]", ";", "ascii-printable", "unicode", "special"],
  most: 2100,
  refusals: ["totp-malformed", "password-malformed"],
  run: (input) => {
    const given = text(input);
    if (!given.includes(";") && !/required|length/.test(given)) {
      const { code } = codeAt(readOneTime(given), 1_800_000_000_000);
      return hold(/^[0-9A-Z]{5,8}$/.test(code), "a code has digits or letters", code);
    }
    const rules = parsePasswordRules(given);
    const made = generatePassword(rules).secret;
    return hold(made.length === rules.length && [...made].every((letter) => rules.characters.includes(letter)), "a password keeps to its rules", made);
  },
};

/** Stored objects of 2017. */
export const archive: Target = {
  name: "archive-2017",
  files: ["archive-2017/"],
  seeds: () => stored.map(([, value]) => octets(JSON.stringify(value))),
  words: ["SignedData", "payload", "signatures", "protected", "header", "kid", "val", "alg", "RS512", "MasterProfile", "PersonalProfile", "DeviceProfile", "ApplicationProfile", "Identifier", "PublicParameters", "PublicKeyRSA", "n", "e", "UDF", "Devices", "Applications"],
  most: 20_000,
  refusals: ["archive-malformed", "key-malformed", "json-malformed", "json-too-deep", "json-too-large", "json-duplicate-member", "text-malformed"],
  run: (input) => {
    const object = readArchived(parseLenient(input));
    hold(typeof judgeArchived(object).entitled === "string", "every object is judged");
  },
};

const folder = mkdtempSync(join(tmpdir(), "mesh-fuzz-files-"));
const root = new Uint8Array(32).fill(9);
const keyringPath = join(folder, "keyring.json");

/** The file of a keyring, as whoever can write to a home may leave it. */
export const keyring: Target = {
  name: "keyring",
  files: ["keyring/file-format.ts"],
  seeds: () => [keyringOctets(root, { name: "none", key: toBase64url(root) }, [{ id: "a", purpose: "b", sealed: { ciphertext: "AAAA", salt: toBase64url(new Uint8Array(32)) } }]), keyringOctets(root, { name: "argon2id", commitment: toBase64url(root), key: { ciphertext: "AAAA", salt: toBase64url(root) }, lanes: 1, memoryKiB: 65_536, passes: 3, salt: toBase64url(hkdf(root, root, root, 32)) }, [])],
  words: ["format", "keyring", "lock", "mac", "secrets", "name", "none", "argon2id", "memoryKiB", "passes", "lanes", "purpose", "sealed"],
  refusals: ["keyring-damaged", "keyring-newer"],
  run: (input) => {
    writeFileSync(keyringPath, input, { mode: 0o600 });
    const { file } = readKeyringFile(keyringPath);
    demandAuthentic(keyringPath, file, root);
    hold(equalBytes(keyringOctets(root, file.lock, file.secrets), input), "a keyring that is authentic has one spelling");
  },
};

/** The settings of a portal. */
export const settings: Target = {
  name: "portal-settings",
  files: ["cli/portal/data.ts"],
  seeds: () => ['{"accounts":"open","domain":"example.com","format":1,"host":"127.0.0.1","port":8663}', "null", "[]", "{}"].map(octets),
  words: ["accounts", "open", "invited", "domain", "format", "host", "port", "65536"],
  most: 400,
  refusals: ["data-damaged", "data-newer"],
  run: (input) => {
    writeFileSync(join(folder, "portal.json"), input);
    const { accounts, port } = readSettings(folder);
    hold((accounts === "open" || accounts === "invited") && Number.isInteger(port), "settings that are read are whole");
  },
};

/** Command lines, and what is completed of them. */
export const lines: Target = {
  name: "cli",
  files: ["cli/parse.ts", "cli/args.ts", "cli/complete.ts", "cli/shell-words.ts", "cli/printable.ts", "cli/nearest.ts"],
  seeds: () => ["password\nadd\nexample.com\n--username\nalice\n--generate", "--json\nstatus", "help\npassword\nadd", "device\naccept\n\"six words\"", "join\nalice@example.com\n--portal=https://x\n--wait\n10", "password\nimport\nF\n--format\nbitw", "-h", "--", "pasword\nlist"].map(octets),
  words: ["\n--", "\n-", "=", "--json", "--help", "--no-", ...commands.flatMap(({ options, path }) => [...path, ...options.map(({ name }) => `--${name}`)]), "\u001b[31m", "\u202e", "'", "\\", "\""],
  most: 400,
  refusals: ["usage-unknown-command", "usage-unknown-option", "usage-option-value", "usage-missing-argument", "usage-unexpected-argument"],
  run: (input) => {
    const argv = text(input).split("\n");
    wantsJson(argv, {});
    for (const shell of ["bash", "zsh", "fish"] as const) {
      const found = complete(wordsFrom(shell, argv).words, { commands, nouns });
      hold(found.kind !== "words" || found.words.every(({ word }) => word !== ""), "no candidate is empty");
    }
    hold(!/\p{Cc}/u.test(printable(text(input))), "nothing that a terminal obeys is printed");
    hold(!/(?![\n\t])\p{Cc}/u.test(printableLines(text(input))), "nothing that a terminal obeys is printed in lines");
    hold((JSON.parse(jsonText({ x: text(input) })) as { x: string }).x === text(input), "JSON says what it is given");
    try {
      parse(argv, {}, commands);
    } catch (error) {
      if (error instanceof MeshError) hold(!/(?![\n\t])\p{Cc}/u.test(printableLines(`${error.message} ${error.hint ?? ""}`)), "a refusal can be printed");
      throw error;
    }
  },
};
