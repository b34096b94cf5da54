import type { Command } from "../command.ts";

const name = { name: "NAME", about: "the device's name or fingerprint" } as const;
const words = { name: "WORDS", optional: true, about: "the six words, or the whole witness, of one request" } as const;

/** The commands for your devices. */
export const deviceCommands: readonly Command[] = [
  {
    path: ["device", "pending"],
    summary: "List the devices that ask to join.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh device pending", about: "with the words that each shows" },
      { line: "mesh device pending --json", about: "for a program" },
    ],
    load: () => import("../commands/device/pending.ts"),
  },
  {
    path: ["device", "accept"],
    summary: "Let a device in that asks to join.",
    positionals: [words],
    options: [{ name: "role", value: "admin|member", about: "member reads and edits; admin also lets devices in and out (member)" }],
    examples: [
      { line: 'mesh device accept "six words that it shows"', about: "prints the three to type there" },
      { line: 'mesh device accept "six words that it shows" --role admin', about: "as an administration device; needs the Master key" },
    ],
    about: ["Read the words off the new device's own screen, not from this list."],
    load: () => import("../commands/device/accept.ts"),
  },
  {
    path: ["device", "reject"],
    summary: "Turn a device down that asks to join.",
    positionals: [words],
    options: [{ name: "all", about: "every one that waits" }],
    examples: [
      { line: 'mesh device reject "six words that it shows"', about: "this one" },
      { line: "mesh device reject --all", about: "all of them" },
    ],
    load: () => import("../commands/device/reject.ts"),
  },
  {
    path: ["device", "pin"],
    summary: "Make a code that lets one device in.",
    positionals: [],
    options: [
      { name: "role", value: "member", about: "a PIN lets in members only" },
      { name: "expires", value: "TIME", about: "how long it is good: 30m, 12h, 7d (1h)" },
      { name: "qr", about: "draw it on the terminal, with all that the new device must know" },
      { name: "qr-out", value: "FILE", about: "the same as a picture (SVG), in this file" },
      { name: "wait", value: "SECONDS", about: "wait so long for the device and let it in (on a terminal with --qr: 10 minutes)" },
    ],
    examples: [
      { line: "mesh device pin --qr", about: "for one device, within the hour; scan it there" },
      { line: "mesh join --pin-file code.txt", about: "on the new device, with what was scanned in this file" },
    ],
    about: ["Without --qr it prints the PIN alone; the new device then needs its address, too: mesh join ADDRESS --pin-file FILE. Who sees the code can join with it until it is used."],
    load: () => import("../commands/device/pin.ts"),
  },
  {
    path: ["device", "list"],
    summary: "List your devices.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh device list", about: "names, roles, which one this is" },
      { line: "mesh device list --json", about: "with fingerprints" },
    ],
    load: () => import("../commands/device/list.ts"),
  },
  {
    path: ["device", "disable"],
    summary: "Cut a device off: lost, stolen or sold.",
    positionals: [name],
    options: [{ name: "yes", about: "do not ask, though this device falls as well" }],
    examples: [
      { line: "mesh device disable laptop", about: "at once; prints what is done and what is left to do" },
      { line: "mesh device disable laptop --json", about: "for a program" },
    ],
    about: ["Its access to portal and passwords ends, and everything later is under keys that it does not have. Passwords it could read are listed: change them. Servers of `mesh ssh host` are told at once where they can be reached; it says which were not.", "A member can suspend any device, and falls with it until one that stands above both decides; it asks before that."],
    load: () => import("../commands/device/disable.ts"),
  },
  {
    path: ["device", "unsuspend"],
    summary: "Let a suspended device go on.",
    positionals: [name],
    options: [],
    examples: [
      { line: "mesh device unsuspend tablet", about: "that fell with another, and is in your hands" },
      { line: "mesh device unsuspend tablet --json", about: "for a program" },
    ],
    about: ["Only a key that stands above whoever suspended it may: an administration device above that one, any where a member did it, or the Master key. What is disabled stays so; join it anew."],
    load: () => import("../commands/device/unsuspend.ts"),
  },
  {
    path: ["device", "rename"],
    summary: "Give a device another name.",
    positionals: [name, { name: "NEW-NAME", about: "what to call it from now on" }],
    options: [],
    examples: [
      { line: "mesh device rename laptop travel-laptop", about: "on all your devices" },
      { line: 'mesh device rename MB2G-... "kitchen tablet"', about: "by fingerprint, where two share a name" },
    ],
    about: ["A member renames itself only; an administration device all of them."],
    load: () => import("../commands/device/rename.ts"),
  },
  {
    path: ["device", "leave"],
    summary: "Take this device out of your mesh and erase its keys.",
    positionals: [],
    options: [{ name: "yes", about: "do not ask" }],
    examples: [
      { line: "mesh device leave", about: "asks first" },
      { line: "mesh device leave --yes", about: "for a script" },
    ],
    load: () => import("../commands/device/leave.ts"),
  },
];
