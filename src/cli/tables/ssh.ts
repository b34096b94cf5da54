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
  {
    path: ["ssh", "host", "add"],
    summary: "Let all your devices into a server.",
    positionals: [{ name: "TARGET", about: "as for ssh: [user@]host[:port]" }],
    options: [
      { name: "name", value: "NAME", about: "what to type after ssh (the host as you typed it)" },
      { name: "managed", about: "by certificates that its sshd takes: needs root there, or sudo without a password" },
      { name: "sshd-config", value: "FILE", about: "where the server's sshd_config is (/etc/ssh/sshd_config)" },
      { name: "host-key", value: "SHA256:...", about: "the host key that it must show, as read on it; also for one that is known by another" },
    ],
    examples: [
      { line: "mesh ssh host add alice@server.example --name server1", about: "once, over whatever access you have now" },
      { line: "mesh ssh host add root@server.example --managed", about: "one list to end a device's access, and a new device gets in at once" },
    ],
    about: ["It logs in by your own ssh and writes the keys of your devices between two marks in ~/.ssh/authorized_keys there; other lines stay as they are. It needs no root there, and neither sftp nor anything installed. The server is kept in step from then on, by whichever device reaches it.", "With --managed its sshd takes certificates of your devices, for this account, by files beside its sshd_config: one list ends what a device may, and a new device gets in at once. Nothing but sshd is needed there.", "Where keys are pasted into a page, as at a code host: mesh ssh keys"],
    load: () => import("../commands/ssh/host/add.ts"),
  },
  {
    path: ["ssh", "host", "list"],
    summary: "List your servers.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh ssh host list", about: "and whether they have the keys that they should" },
      { line: "mesh ssh host list --json", about: "for a program" },
    ],
    load: () => import("../commands/ssh/host/list.ts"),
  },
  {
    path: ["ssh", "host", "sync"],
    summary: "Bring servers in step with your devices.",
    positionals: [{ name: "NAME", optional: true, about: "this one alone; ssh may ask you for what it needs" }],
    options: [],
    examples: [
      { line: "mesh ssh host sync", about: "all that can be reached now; says which cannot" },
      { line: "mesh ssh host sync server1", about: "this one" },
    ],
    about: ["`mesh sync` does the same for servers that are known not to be in step."],
    load: () => import("../commands/ssh/host/sync.ts"),
  },
  {
    path: ["ssh", "host", "remove"],
    summary: "Take your devices' keys out of a server.",
    positionals: [{ name: "NAME", about: "its name" }],
    options: [
      { name: "keep", about: "leave the keys on it; only forget it" },
      { name: "yes", about: "do not ask, though nothing else lets you in" },
    ],
    examples: [
      { line: "mesh ssh host remove server1", about: "takes the block out, and the server off the list" },
      { line: "mesh ssh host remove server1 --keep", about: "for one that is gone, or that you keep by hand" },
    ],
    load: () => import("../commands/ssh/host/remove.ts"),
  },
  {
    path: ["ssh", "status"],
    summary: "Show what this device knows of SSH.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh ssh status", about: "its key, its configuration, your servers; asks nobody" },
      { line: "mesh ssh status --json", about: "for a program" },
    ],
    load: () => import("../commands/ssh/status.ts"),
  },
  {
    path: ["ssh", "check"],
    summary: "Look at every server, and change none.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh ssh check", about: "ends with 0 if each has the keys that it should" },
      { line: "mesh ssh check --json", about: "for a program, with the fingerprints" },
    ],
    about: ["It also tells of lines outside the block that let somebody in, and which of them are new: whoever got in for a moment could have left one."],
    load: () => import("../commands/ssh/check.ts"),
  },
  {
    path: ["ssh", "config"],
    summary: "Have this device's ssh know your servers by name.",
    positionals: [],
    options: [
      { name: "dry-run", about: "show what would be written, and write nothing" },
      { name: "undo", about: "take the line out again" },
      { name: "file", value: "FILE", about: "another file than ~/.ssh/config" },
    ],
    examples: [
      { line: "mesh ssh config", about: "once on each device; then: ssh server1" },
      { line: "mesh ssh config --undo", about: "as it was" },
    ],
    about: ["It puts one line first in ~/.ssh/config, which includes a file in the home of mesh; nothing else is touched. That file names your servers, their host keys and this device's own key, so that only this key is offered."],
    load: () => import("../commands/ssh/config.ts"),
  },
  {
    path: ["ssh", "absorb"],
    summary: "Have all your devices know the hosts and host keys that this one knows.",
    positionals: [],
    options: [
      { name: "dry-run", about: "show what would be taken over, and what stays here alone; change nothing" },
      { name: "yes", about: "do not ask" },
      { name: "undo", about: "take back what this device had the others know" },
      { name: "from", value: "FOLDER", about: "another folder than ~/.ssh" },
    ],
    examples: [
      { line: "mesh ssh absorb --dry-run", about: "what there is" },
      { line: "mesh ssh absorb", about: "once on each device; shows it, and asks" },
    ],
    about: ["It reads config and known_hosts of ~/.ssh, and changes no file there. Sections that name a host go to your other devices by name, address, port, account and way (ProxyJump); nothing that could run a program does. A host key that you confirm here later is known to all with the next `mesh sync`. Each device's ssh takes the list by `mesh ssh config`.", "A host key that differs from the one that your devices know is never taken: it is told, and the command ends with 6."],
    load: () => import("../commands/ssh/absorb.ts"),
  },
  {
    path: ["ssh", "known", "list"],
    summary: "List the host keys that all your devices know.",
    positionals: [],
    options: [],
    examples: [
      { line: "mesh ssh known list", about: "by host" },
      { line: "mesh ssh known list --json", about: "for a program" },
    ],
    load: () => import("../commands/ssh/known/list.ts"),
  },
  {
    path: ["ssh", "known", "forget"],
    summary: "Take a host off that list, as when it was set up anew.",
    positionals: [{ name: "HOST", about: "as the list has it: host.example, or [host.example]:2222" }],
    options: [],
    examples: [
      { line: "mesh ssh known forget host.example", about: "the next key that you confirm counts" },
      { line: "mesh ssh known forget '[host.example]:2222'", about: "at another port" },
    ],
    load: () => import("../commands/ssh/known/forget.ts"),
  },
  {
    path: ["ssh", "confirm"],
    summary: "Be asked before this device's agent signs.",
    positionals: [
      { name: "WHEN", optional: true, about: "never, forwarded or always" },
      { name: "NAME", optional: true, about: "for this server alone" },
    ],
    options: [],
    examples: [
      { line: "mesh ssh confirm forwarded", about: "where another computer asks, to which your agent is lent (ssh -A)" },
      { line: "mesh ssh confirm always server1", about: "for one server" },
    ],
    about: ["The question names the program, the host and the account, and the computer by way of which it comes. It is asked by the program that SSH_ASKPASS names, as ssh asks, else by pinentry or ssh-askpass; the same asks for your passphrase when ssh needs a key while the agent is locked. Where nobody can be asked nothing is signed: mesh ssh status says why."],
    load: () => import("../commands/ssh/confirm.ts"),
  },
  {
    path: ["ssh", "git-signing"],
    summary: "Have git sign by this device's key.",
    positionals: [],
    options: [
      { name: "dry-run", about: "show what git would be told, and change nothing" },
      { name: "undo", about: "tell git what it was told before" },
      { name: "yes", about: "do not ask, though git is told something else now" },
      { name: "file", value: "FILE", about: "another file than git's own, as that of one repository: .git/config" },
    ],
    examples: [
      { line: "mesh ssh git-signing", about: "once on each device; commits and tags are signed from then on" },
      { line: "mesh ssh git-signing --undo", about: "as it was" },
    ],
    about: ["Every device of yours knows the signatures of all: `git log --show-signature`, `git verify-commit`. What a device signed before it was disabled goes on to count, by the time that the commit says.", "A code host shows them as verified once it has the keys, as keys for signing: mesh ssh keys"],
    load: () => import("../commands/ssh/git-signing.ts"),
  },
];
