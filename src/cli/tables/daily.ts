import type { Command, Option } from "../command.ts";

const portal: Option = { name: "portal", value: "URL", about: "your portal, with its pin after # (else by DNS, else https://DOMAIN)" };
const deviceName: Option = { name: "device-name", value: "N", about: "what to call this device (its host name)" };
const noPassphrase: Option = { name: "no-passphrase", about: "keep this device's keys without a passphrase; status says so" };

const lockAfter: Option = { name: "lock-after", value: "TIME", about: "lock after so long without use: 30s, 15m, 8h, 7d (15m)" };

/** What one does every day, and on the first one. */
export const dailyCommands: readonly Command[] = [
  {
    path: ["create"],
    summary: "Make your mesh, with this device as its first.",
    positionals: [{ name: "ADDRESS", about: "the name you want at your portal: alice@example.com" }],
    options: [portal, deviceName, noPassphrase, { name: "invitation-file", value: "F", about: "the code with which your portal invited you" }],
    examples: [
      { line: "mesh create alice@example.com", about: "at the portal of example.com" },
      { line: "mesh create alice@localhost --portal https://127.0.0.1:8663#MAAA-...", about: "at a portal of your own" },
    ],
    load: () => import("../commands/create.ts"),
  },
  {
    path: ["join"],
    summary: "Make this device one of yours.",
    positionals: [{ name: "ADDRESS", optional: true, about: "your address; with #FINGERPRINT after it no words come back; a scanned code has it" }],
    options: [
      portal,
      deviceName,
      noPassphrase,
      { name: "pin-file", value: "F", about: "join by the PIN, or by what was scanned from `mesh device pin --qr`, in this file" },
      { name: "answer", value: '"THREE WORDS"', about: "the words that your other device showed" },
      { name: "wait", value: "SECONDS", about: "wait so long to be accepted (on a terminal: 10 minutes)" },
    ],
    examples: [
      { line: "mesh join alice@example.com", about: "shows six words, and asks for three" },
      { line: 'mesh join alice@example.com --answer "ocean tiger lamp"', about: "goes on after a pause" },
    ],
    about: ["Compare the six words on your other device with `mesh device accept`, and type the three that it shows here. Cut off, run the same command again. While it waits it exits with 5.", "A QR code from `mesh device pin --qr` holds all that is needed. Any camera's program reads it; zbarcam, for one: zbarcam --raw -1 > code.txt, then mesh join --pin-file code.txt."],
    load: () => import("../commands/join.ts"),
  },
  {
    path: ["status"],
    summary: "Show what this device is, what it knows and what is wrong.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh status", about: "as `mesh` alone" },
      { line: "mesh status --json", about: "for a program" },
    ],
    served: true,
    load: () => import("../commands/status.ts"),
  },
  {
    path: ["sync"],
    summary: "Get what is new, send what is not sent.",
    positionals: [],
    options: [{ name: "bring-back", about: "first give a portal that was restored from a backup what it lost and this device has" }],
    examples: [
      { line: "mesh sync", about: "exits with 7 when the portal cannot be reached" },
      { line: "mesh sync --json", about: "for a program" },
    ],
    about: ["On an administration device it also lets in who comes by PIN, and finishes what another device began.", "--bring-back changes nothing on this device. Ask the portal's operator first whether there was a restore, and begin with the device that you used last."],
    load: () => import("../commands/sync.ts"),
  },
  {
    path: ["read"],
    summary: "Write out one thing that is kept, by its reference.",
    positionals: [{ name: "REFERENCE", about: "mesh://password/NAME or mesh://password/NAME/FIELD; a slash in a name is %2F" }],
    options: [{ name: "reveal", about: "show secrets even on a terminal" }],
    examples: [
      { line: "mesh read mesh://password/github/token > token", about: "for a file or a program" },
      { line: "mesh read mesh://password/bank/totp", about: "a one-time code" },
    ],
    served: true,
    load: () => import("../commands/read.ts"),
  },
  {
    path: ["run"],
    summary: "Run a program with your secrets in its environment, and nowhere else.",
    positionals: [{ name: "CMD", many: true, about: "after --: the program and its arguments" }],
    options: [{ name: "variables-file", value: "F", many: true, about: "take variables from this file, NAME=VALUE a line; may be repeated" }],
    examples: [
      { line: "mesh run -- deploy", about: "with TOKEN=mesh://password/github/token set, deploy finds the token in it" },
      { line: "mesh run --variables-file variables -- make release", about: "a file that holds references may be shown to anybody" },
    ],
    about: ["Each variable that is a reference (mesh://password/NAME/FIELD) holds what that means, for this program alone. It ends with the program's status."],
    load: () => import("../commands/run.ts"),
  },
  {
    path: ["git-credential"],
    summary: "Answer Git when it asks for a login, and keep those that it learns.",
    positionals: [{ name: "get|store|erase", about: "what Git wants; it says for which host on standard input" }],
    options: [],
    examples: [
      { line: "mesh git-credential get", about: "what Git asks for a login" },
      { line: "mesh git-credential store", about: "what Git says of one that worked" },
    ],
    about: ["To have Git ask, once: git config --global credential.helper '!mesh git-credential'", "It answers for hosts over HTTPS, by the one login whose sites have the host, and its user name if the URL names one. What Git refused is not erased."],
    load: () => import("../commands/git-credential.ts"),
  },
  {
    path: ["unlock"],
    summary: "Open this device for the commands that follow, by its passphrase.",
    positionals: [],
    options: [lockAfter],
    examples: [
      { line: "mesh unlock", about: "asks once; no command asks again until it locks" },
      { line: "mesh unlock --lock-after 1h", about: "an hour without use, and it locks" },
    ],
    about: ["A process of your own in the background, the agent, holds the keys in memory until `mesh lock`, or until they are not used for a while. Any command that asked you for the passphrase leaves them there too, unless it is given --no-agent."],
    load: () => import("../commands/unlock.ts"),
  },
  {
    path: ["lock"],
    summary: "Lock this device: end the agent that holds its keys.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh lock", about: "the next command asks for the passphrase again" },
      { line: "mesh lock --json", about: "for a program" },
    ],
    load: () => import("../commands/lock.ts"),
  },
  {
    path: ["agent"],
    summary: "Hold this device's keys in memory and answer commands, until it is locked.",
    positionals: [],
    options: [lockAfter, { name: "unit", about: "print a systemd unit for it instead, of your own session" }],
    examples: [
      { line: "mesh agent", about: "in the foreground; `mesh unlock` starts one by itself" },
      { line: "mesh agent --unit", about: "to ~/.config/systemd/user/mesh-agent.service" },
    ],
    about: ["It waits for `mesh unlock`, or opens the home at once by --passphrase-file. It ends when it is locked, not used for a while, told to, or when its home is gone. Killed at any moment it leaves nothing behind."],
    load: () => import("../commands/agent.ts"),
  },
  {
    path: ["doctor"],
    summary: "Look for what is wrong, and say what to do.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh doctor", about: "home, keys, portal" },
      { line: "mesh doctor --json", about: "for a program" },
    ],
    load: () => import("../commands/doctor.ts"),
  },
  {
    path: ["completion"],
    summary: "Print what makes your shell complete the words of mesh.",
    positionals: [{ name: "bash|zsh|fish", about: "the shell" }, { name: "WORD", optional: true, many: true, about: "after --: say what can follow these words; the shell asks so at each Tab" }],
    options: [],
    examples: [
      { line: "mesh completion bash", about: "see below where it goes" },
      { line: 'mesh completion fish -- device ""', about: "what can follow `mesh device`" },
    ],
    about: [
      "To install it, once, in one line (the shell must find mesh on its PATH):",
      "bash: echo 'source <(mesh completion bash)' >> ~/.bashrc",
      "zsh: echo 'source <(mesh completion zsh)' >> ~/.zshrc",
      "fish: echo 'mesh completion fish | source' >> ~/.config/fish/config.fish",
      "Or put what it prints where your shell looks by itself: bash-completion, a folder of zsh's fpath (as _mesh), fish's completions.",
      "Names of devices and passwords are completed where the home has no passphrase, or its agent is unlocked: a Tab asks nobody, and unlocks nothing.",
    ],
    // Another home than the agent's is for a process of its own, which knows where the line was typed.
    served: (args) => !args.texts("WORD").some((word) => /^--home(?:=|$)/.test(word)),
    load: () => import("../commands/completion.ts"),
  },
  {
    path: ["passphrase", "change"],
    summary: "Change the passphrase of this device.",
    positionals: [],
    options: [{ name: "new-passphrase-file", value: "F", about: "take the new one from the one line in this file" }, noPassphrase],
    examples: [
      { line: "mesh passphrase change", about: "asks for the old and the new one" },
      { line: "mesh passphrase change --passphrase-file old.txt --new-passphrase-file new.txt", about: "for a script" },
    ],
    load: () => import("../commands/passphrase/change.ts"),
  },
];
