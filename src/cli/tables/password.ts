import type { Command, Option } from "../command.ts";

/** What `password import` reads and `export` writes; a test holds them to the formats that there are. */
const formats: readonly string[] = ["mesh", "bitwarden", "keepassxc-xml", "kdbx", "1pux", "bitwarden-csv", "chrome-csv", "firefox-csv", "safari-csv", "keepassxc-csv"];
const writtenFormats = formats.filter((format) => format !== "kdbx" && format !== "1pux");

/** The fields that every login has; it may have others of its own. */
const fields: readonly string[] = ["password", "username", "site", "notes", "totp", "totp-secret", "tag", "folder", "name"];

const name = { name: "NAME", about: "the login's name; case matters only where two differ by nothing else" } as const;

/** How a password is made, for whatever makes one. */
const making: readonly Option[] = [
  { name: "length", value: "N", about: "so many characters (8 to 256; else 20)" },
  { name: "no-symbols", about: "letters and digits only" },
  { name: "classes", value: "LIST", about: "only these of lower,upper,digits,symbols, one of each at least" },
  { name: "min", value: "CLASS=N", many: true, about: "at least so many of a class; may be repeated" },
  { name: "characters", value: "CHARS", about: "these characters too, one of them at least" },
  { name: "without", value: "CHARS", about: "none of these characters" },
  { name: "words", value: "N", about: "a passphrase of so many words instead (4 to 32), 11 bits each" },
  { name: "separator", value: "S", about: "what stands between the words (else a dash)" },
  { name: "pin", value: "N", about: "so many digits instead (4 to 64)" },
  { name: "policy", value: "RULES", about: "a site's rules: minlength: 20; required: lower; required: [-_]; max-consecutive: 2" },
];

const content: readonly Option[] = [
  { name: "username", value: "U", about: "the user name or address to log in with" },
  { name: "site", value: "S", many: true, about: "a site or program it is for; may be repeated" },
  { name: "tag", value: "T", many: true, about: "a word to find it by; may be repeated" },
  { name: "folder", value: "FOLDER", about: "the folder it lies in, as in Work/Servers" },
  { name: "password-file", value: "F", about: "take the password from the one line in this file (- is standard input)" },
  { name: "generate", about: "make a new password: 20 characters that no one confuses, or as the options say" },
  ...making,
  { name: "notes-file", value: "F", about: "take the notes from this file" },
  { name: "totp-file", value: "F", about: "take the secret of the one-time codes, or its otpauth: URL, from this file" },
  { name: "set", value: "FIELD=VALUE", many: true, about: "a field of your own, shown openly, or one that a card, an identity or a key has, such as card.number; may be repeated" },
  { name: "set-file", value: "FIELD=F", many: true, about: "a field of your own, kept as secret as the password, from this file; may be repeated" },
];

/** What narrows a list down. */
const narrowing: readonly Option[] = [
  { name: "tag", value: "T", many: true, about: "only those with this tag; may be repeated" },
  { name: "site", value: "S", about: "only those for this site, a host or a URL: what is kept for bank.example serves www.bank.example" },
  { name: "folder", value: "FOLDER", about: "only those in this folder or one within it, as in Work/Servers" },
];

const reveal: Option = { name: "reveal", about: "show secrets even on a terminal" };

/** The password manager's commands. */
export const passwordCommands: readonly Command[] = [
  {
    path: ["password", "add"],
    summary: "Save a new login.",
    positionals: [name],
    options: content,
    examples: [
      { line: "mesh password add github --username alice --generate", about: "with a new password" },
      { line: "mesh password add bank --site bank.example --password-file secret.txt", about: "with one that you have" },
    ],
    about: ["The password comes from --password-file or --generate; with neither, you are asked for it. It is saved on this device at once and sent to your others; without a network it is sent later."],
    load: () => import("../commands/password/add.ts"),
  },
  {
    path: ["password", "get"],
    summary: "Show a login, or hand its password to a program.",
    positionals: [name],
    options: [{ name: "field", value: "FIELD", choices: fields, about: "only this: password, username, site, notes, totp (the code now), totp-secret, tag, folder, name, what a card, an identity or a key has (such as card.number), or a field of your own" }, reveal],
    examples: [
      { line: "mesh password get github", about: "the login, its secrets hidden" },
      { line: "mesh password get github | wl-copy", about: "the password itself, to a program" },
    ],
    about: ["A secret goes to a terminal only with --reveal. Into a pipe or a file goes the password alone, on one line; of a note its text, of a card its number, of a key its private half. The network is not needed."],
    served: true,
    load: () => import("../commands/password/get.ts"),
  },
  {
    path: ["password", "generate"],
    summary: "Make a password, passphrase or PIN, and keep it nowhere.",
    positionals: [],
    options: [...making, reveal],
    examples: [
      { line: "mesh password generate --words 6 --reveal", about: "one to remember" },
      { line: "mesh password generate --length 32 --no-symbols | wl-copy", about: "one for a program" },
    ],
    about: ["All that satisfy what you ask for have the same chance; how many bits that makes is said beside it. `add` and `edit` take the same options with --generate."],
    load: () => import("../commands/password/generate.ts"),
  },
  {
    path: ["password", "list"],
    summary: "List your logins.",
    positionals: [],
    options: [
      ...narrowing,
      { name: "removed", about: "those that were removed, and can be restored" },
    ],
    examples: [
      { line: "mesh password list", about: "names, user names and sites" },
      { line: "mesh password list --tag work --json", about: "for a program; it holds no secrets" },
    ],
    served: true,
    load: () => import("../commands/password/list.ts"),
  },
  {
    path: ["password", "search"],
    summary: "Find logins by words in their names, user names, sites, tags or notes.",
    positionals: [{ name: "WORD", many: true, about: "every word must be somewhere; case and accents do not count; tag:T and site:S narrow it down" }],
    options: narrowing,
    examples: [
      { line: "mesh password search bank", about: "everything with bank in it" },
      { line: "mesh password search alice tag:work", about: "what has both the word and the tag" },
    ],
    served: true,
    load: () => import("../commands/password/search.ts"),
  },
  {
    path: ["password", "edit"],
    summary: "Change a login; what you do not name stays.",
    positionals: [name],
    options: [
      { name: "name", value: "NAME", about: "give it another name" },
      ...content,
      { name: "remove-site", value: "S", many: true, about: "take a site away; may be repeated" },
      { name: "remove-tag", value: "T", many: true, about: "take a tag away; may be repeated" },
      { name: "unset", value: "FIELD", many: true, about: "take a field of your own away; may be repeated" },
    ],
    examples: [
      { line: "mesh password edit github --generate", about: "a new password; the old one stays in the history" },
      { line: "mesh password edit bank --site pay.bank.example --username=", about: "one more site, no user name" },
    ],
    load: () => import("../commands/password/edit.ts"),
  },
  {
    path: ["password", "remove"],
    summary: "Remove a login from all your devices; it can be restored.",
    positionals: [name],
    options: [],
    examples: [
      { line: "mesh password remove old-forum", about: "it is gone from every list" },
      { line: "mesh password restore old-forum", about: "and back" },
    ],
    load: () => import("../commands/password/remove.ts"),
  },
  {
    path: ["password", "restore"],
    summary: "Bring back a removed login, or what a field held before.",
    positionals: [name],
    options: [
      { name: "field", value: "FIELD", choices: fields, about: "the field to give an earlier value, as `history` calls it" },
      { name: "to", value: "N", about: "which one, by its number in `history` (1, the latest, unless you say)" },
      { name: "purged", about: "what was purged less than 72 hours ago, as far as this device still has it" },
    ],
    examples: [
      { line: "mesh password restore old-forum", about: "a removed one, as it was" },
      { line: "mesh password restore github --field password --to 2", about: "the password before the last" },
    ],
    about: ["See what was removed with `mesh password list --removed`, and what a login held with `mesh password history`. What a field held until now stays in the history."],
    load: () => import("../commands/password/restore.ts"),
  },
  {
    path: ["password", "history"],
    summary: "Show what a login held before, and which device wrote it.",
    positionals: [name],
    options: [reveal],
    examples: [
      { line: "mesh password history github", about: "what changed and who changed it" },
      { line: "mesh password history github --reveal", about: "with the old passwords" },
    ],
    about: ["Nothing is lost but by a purge: an edit keeps the old value, and where two devices edited the same field at once, the one that did not prevail is here too."],
    served: true,
    load: () => import("../commands/password/history.ts"),
  },
  {
    path: ["password", "import"],
    summary: "Bring in passwords from another program's file.",
    positionals: [{ name: "FILE", about: "what that program exported, or a KeePass database (- is standard input)" }],
    options: [
      { name: "format", value: "FORMAT", choices: formats, about: "mesh, bitwarden, keepassxc-xml, kdbx, 1pux, bitwarden-csv, chrome-csv, firefox-csv, safari-csv or keepassxc-csv; by default what the file says" },
      { name: "file-password-file", value: "F", about: "the file's own password, the one line in this file (- is standard input)" },
      { name: "dry-run", about: "say what would be imported, and write nothing" },
      { name: "partial", about: "take what can still be read of a damaged file" },
    ],
    examples: [
      { line: "mesh password import bitwarden.json --dry-run", about: "what it would bring" },
      { line: "mesh password import passwords.kdbx", about: "a KeePass database; you are asked for its password" },
    ],
    about: [
      "What is there already is left as it is. An item that is there, equal in all it holds, is not imported again; a name that is taken gets the user name or a number after it. Parts that Mesh does not understand are kept and exported again in the same format; an item that cannot be imported is named, and the rest is.",
      "A file that is damaged is refused as a whole, unless --partial takes what can be read.",
    ],
    load: () => import("../commands/password/import.ts"),
  },
  {
    path: ["password", "export"],
    summary: "Write all your passwords to a file.",
    positionals: [{ name: "FILE", about: "a new file, for you alone to read" }],
    options: [
      { name: "format", value: "FORMAT", choices: writtenFormats, about: "mesh (the default: everything, history included), bitwarden, keepassxc-xml, bitwarden-csv, chrome-csv, firefox-csv, safari-csv or keepassxc-csv" },
      { name: "encrypt", about: "ask for a password, and encrypt the file under it (format mesh only)" },
      { name: "file-password-file", value: "F", about: "encrypt under the one line in this file" },
      { name: "force", about: "replace a file that is there" },
    ],
    examples: [
      { line: "mesh password export backup.json --encrypt", about: "a copy for the safe; import brings it back" },
      { line: "mesh password export vault.json --format bitwarden", about: "to move to another program" },
    ],
    about: ["Without --encrypt whoever can read the file can read every password in it. The network is not needed."],
    load: () => import("../commands/password/export.ts"),
  },
  {
    path: ["password", "attach"],
    summary: "Keep a file with a login, up to 10 MiB.",
    positionals: [name, { name: "FILE", about: "a plain file" }],
    options: [{ name: "as", value: "ATTACHMENT", about: "call it so (else by the file's name)" }],
    examples: [
      { line: "mesh password attach github recovery-codes.txt", about: "encrypted, on all your devices" },
      { line: "mesh password attach bank scan.pdf --as contract.pdf", about: "under another name" },
    ],
    about: ["It is encrypted here and cut into pieces that the portal keeps; without a network it waits here and is sent later. Other devices fetch it when you save it there."],
    load: () => import("../commands/password/attach.ts"),
  },
  {
    path: ["password", "attachments"],
    summary: "List the files kept with a login.",
    positionals: [name],
    options: [],
    examples: [
      { line: "mesh password attachments github", about: "names and sizes" },
      { line: "mesh password attachments github --json", about: "for a program" },
    ],
    load: () => import("../commands/password/attachments.ts"),
  },
  {
    path: ["password", "save"],
    summary: "Write a file kept with a login to disk.",
    positionals: [name, { name: "ATTACHMENT", about: "its name" }],
    options: [{ name: "out", value: "FILE", about: "a new file, for you alone to read" }],
    examples: [
      { line: "mesh password save github recovery-codes.txt --out codes.txt", about: "fetched and checked" },
      { line: "mesh password save bank contract.pdf --out /tmp/contract.pdf", about: "anywhere you like" },
    ],
    load: () => import("../commands/password/save.ts"),
  },
  {
    path: ["password", "detach"],
    summary: "Take a file away from a login; it can be restored.",
    positionals: [name, { name: "ATTACHMENT", about: "its name" }],
    options: [],
    examples: [
      { line: "mesh password detach github recovery-codes.txt", about: "it is gone from every list" },
      { line: "mesh password restore github --field attachment", about: "and back" },
    ],
    load: () => import("../commands/password/detach.ts"),
  },
  {
    path: ["password", "purge"],
    summary: "Forget for good what a login held before.",
    positionals: [{ ...name, optional: true }],
    options: [
      { name: "removed", about: "a removed login, with all it held; without NAME all of them" },
      { name: "yes", about: "do not ask" },
    ],
    examples: [
      { line: "mesh password purge github", about: "keeps what holds now, and nothing else" },
      { line: "mesh password purge --removed", about: "everything that was removed" },
    ],
    about: [
      "What is purged is hidden at once, and erased on each device 72 hours after it hears of it; until then `mesh password restore NAME --purged` brings it back.",
      "Out of reach are devices that stay offline, copies and backups of a home, and the ciphertext at your portal, which your own devices can read. A password that somebody may have seen is mended by a new one.",
    ],
    load: () => import("../commands/password/purge.ts"),
  },
];
