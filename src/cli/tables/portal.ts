import type { Command, Option } from "../command.ts";

const data: Option = { name: "data", value: "DIR", about: "the portal's directory" };

/** The operator's commands. */
export const portalCommands: readonly Command[] = [
  {
    path: ["portal", "init"],
    summary: "Make a portal.",
    positionals: [],
    options: [
      data,
      { name: "domain", value: "NAME", about: "the domain of its accounts: alice@NAME" },
      { name: "listen", value: "HOST:PORT", about: "where it will listen (127.0.0.1 and a free port, which is then kept)" },
      { name: "accounts", value: "open|invited", about: "who may create an account from elsewhere (invited); on this machine anybody may" },
    ],
    examples: [
      { line: "mesh portal init --data ~/portal --domain example.com --listen 0.0.0.0:443", about: "for the world" },
      { line: "mesh portal init --data ~/portal --domain localhost", about: "for yourself, on this machine" },
    ],
    about: ["What it prints is the portal's address with its pin: who has it cannot be sent to another portal."],
    load: () => import("../commands/portal/init.ts"),
  },
  {
    path: ["portal", "serve"],
    summary: "Run a portal until it is told to stop.",
    positionals: [],
    options: [data, { name: "log", value: "FILE", about: "write a line for each request here (- is standard error); it names nobody" }],
    examples: [
      { line: "mesh portal serve --data ~/portal", about: "until Ctrl-C or SIGTERM" },
      { line: "mesh portal serve --data ~/portal --log -", about: "with a line a request" },
    ],
    load: () => import("../commands/portal/serve.ts"),
  },
  {
    path: ["portal", "invite"],
    summary: "Let somebody create an account at your portal.",
    positionals: [],
    options: [data],
    examples: [
      { line: "mesh portal invite --data ~/portal", about: "a code for one account" },
      { line: "mesh create bob@example.com --portal URL --invitation-file code.txt", about: "what Bob does with it" },
    ],
    load: () => import("../commands/portal/invite.ts"),
  },
];
