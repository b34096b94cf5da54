import type { Command } from "../command.ts";

/** The commands for whoever wants proof. */
export const logCommands: readonly Command[] = [
  {
    path: ["log", "head"],
    summary: "Show how far this device has followed its portal's log.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh log head", about: "its size, root and time" },
      { line: "mesh log head --json", about: "with the signed checkpoint, to compare with others" },
    ],
    load: () => import("../commands/log/head.ts"),
  },
  {
    path: ["log", "verify"],
    summary: "Follow the portal's log to its end, and hold it to what you have.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh log verify", about: "exit 6 if the portal rewrote or lacks something" },
      { line: "mesh log verify --json", about: "the head that it was followed to, and how many entries were opened" },
    ],
    about: ["Every sync does the same. The portal's log is a list of all that it took, which it cannot change afterwards without being found out."],
    load: () => import("../commands/log/verify.ts"),
  },
  {
    path: ["log", "prove"],
    summary: "Have the portal prove which version of somebody's profile is current.",
    positionals: [{ name: "IDENTIFIER", about: "the fingerprint of a mesh" }],
    options: [{ name: "kind", value: "KIND", about: "master, personal (as without it) or suspensions" }],
    examples: [
      { line: 'mesh log prove "$FINGERPRINT"', about: "the proof, checked" },
      { line: 'mesh log prove "$FINGERPRINT" > proof', about: "to a file, for check-proof" },
    ],
    load: () => import("../commands/log/prove.ts"),
  },
  {
    path: ["log", "check-proof"],
    summary: "Check a proof of what is current, without asking anybody.",
    positionals: [{ name: "FILE", about: "the proof (- is standard input)" }],
    options: [],
    examples: [
      { line: "mesh log check-proof proof", about: "what it shows, and as of when" },
      { line: "mesh log check-proof - --json", about: "of standard input" },
    ],
    load: () => import("../commands/log/check-proof.ts"),
  },
  {
    path: ["log", "check-evidence"],
    summary: "Check evidence that a portal cheated, without asking anybody.",
    positionals: [{ name: "FILE", about: "the evidence (- is standard input)" }],
    options: [{ name: "key", value: "KEY", many: true, about: "a key of the log, of which it has two; may be repeated (without any, those of this device's own portal)" }],
    examples: [
      { line: "mesh log check-evidence FILE", about: "what it proves; exit 0 if it does" },
      { line: 'mesh log check-evidence FILE --key "$KEY1" --key "$KEY2"', about: "against any other portal's log" },
    ],
    about: ["When a portal's log gives it away, the command that finds out keeps the portal's own signed words in a file of the home, in the folder evidence, and says so. Nothing in it is secret."],
    load: () => import("../commands/log/check-evidence.ts"),
  },
  {
    path: ["log", "monitor"],
    summary: "Replay any portal's log from outside, and find out whether it cheats.",
    positionals: [{ name: "URL", about: "the portal's address, best with its pin: https://HOST:PORT#PIN" }],
    options: [
      { name: "every", value: "SECONDS", about: "look again so often, until Ctrl-C (once)" },
      { name: "receipt", value: "FILE", many: true, about: "hold the log to this receipt of it, too; may be repeated" },
      { name: "state", value: "FILE", about: "what was read so far, to go on from (in the home's folder monitor)" },
    ],
    examples: [
      { line: 'mesh log monitor "$URL"', about: "exit 6 if the log was rewritten, forked, set back or is wrong" },
      { line: 'mesh log monitor "$URL" --every 60 --state portal.db', about: "watch it" },
    ],
    about: ["It needs no account and no mesh. Every entry is hashed, the map of what is current made anew at every epoch, and every version held to the one before. The file takes as much room as the log."],
    load: () => import("../commands/log/monitor.ts"),
  },
];
