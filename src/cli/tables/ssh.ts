import type { Command } from "../command.ts";

/** The commands for SSH. */
export const sshCommands: readonly Command[] = [
  {
    path: ["ssh", "setup"],
    summary: "Give each of your devices a key for SSH.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh ssh setup", about: "once, on an administration device" },
      { line: "mesh ssh keys", about: "the keys, as servers take them" },
    ],
    about: ["Each device has a key of its own, made of a half that only it has and a half that this one adds; devices that are switched off find theirs when they come back, and those that you let in later have one at once."],
    load: () => import("../commands/ssh/setup.ts"),
  },
  {
    path: ["ssh", "keys"],
    summary: "Show the keys of your devices, as lines of authorized_keys.",
    positionals: [{ name: "DEVICE", optional: true, about: "this one alone" }],
    options: [],
    examples: [
      { line: "mesh ssh keys", about: "one line for each device that may log in" },
      { line: "mesh ssh keys laptop --json", about: "for a program, with the fingerprint" },
    ],
    load: () => import("../commands/ssh/keys.ts"),
  },
];
