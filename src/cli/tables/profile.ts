import type { Command } from "../command.ts";

/** The commands for whoever wants to see for herself. */
export const profileCommands: readonly Command[] = [
  {
    path: ["profile", "show"],
    summary: "Show a signed object: what it says, who signed it, how far it is to be believed.",
    positionals: [{ name: "FILE", optional: true, about: "the object (- is standard input); without it, your own profiles as this device has them" }],
    options: [{ name: "with", value: "FILE|DIR", many: true, about: "judge it by the objects in this file, or in all files of this folder; may be repeated" }],
    examples: [
      { line: "mesh profile show", about: "your Master and Personal Profile" },
      { line: "mesh profile show object.json --with others.json", about: "any object, judged by others, as from list --json" },
    ],
    about: [
      "Verified is an object whose signature is true; Correct, one whose signer was entitled to it and that is in its place among the others given; Valid, one that a portal said is the current one. What is false or refused is shown too, and the exit status then says why.",
      "Objects do not say when they came to a portal: what depends on that, a suspension that lapses or an override that is late, is judged as if all had come at once.",
      "It also reads what was signed in the format of 2017, and judges that by the rules of 2017.",
    ],
    load: () => import("../commands/profile/show.ts"),
  },
  {
    path: ["profile", "list"],
    summary: "List the signed objects that this device has of your mesh.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh profile list", about: "all versions of all profiles, and suspensions" },
      { line: "mesh profile list --json > mine.json", about: "with the objects, for show --with mine.json" },
    ],
    load: () => import("../commands/profile/list.ts"),
  },
];
