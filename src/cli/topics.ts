/** A page of help that belongs to no single command. */
export type Topic = { readonly name: string; readonly summary: string; readonly text: string };

/** The pages that `mesh help TOPIC` knows. */
export const topics: readonly Topic[] = [
  {
    name: "exit-codes",
    summary: "what the exit status says",
    text: `  0    done
  1    failed
  2    the command line is wrong, or something it needed was not given
  3    not found
  4    locked, or this device may not do that
  5    waiting for approval; run the command again to go on
  6    a conflict, or a portal that cheats
  7    the portal cannot be reached (after an edit only with --strict)
  130  interrupted
`,
  },
  {
    name: "environment",
    summary: "what can be set in the environment",
    text: `  MESH_HOME      all state of this device; by default $XDG_DATA_HOME/mesh
                 or ~/.local/share/mesh. Several act as several devices.
  MESH_<OPTION>  stands in for --option: MESH_PASSPHRASE_FILE=F,
                 MESH_NO_INPUT=1, MESH_JSON=1. The command line counts first.
  MESH_NO_AGENT=1  as --no-agent, for all commands: neither ask the agent
                 nor leave the home unlocked in one
  MESH_DEBUG=1   shows where an unforeseen error comes from
  NO_COLOR       no colours
`,
  },
  {
    name: "output",
    summary: "what goes where, for scripts",
    text: `  Standard output holds data, standard error everything else.
  With --json every command prints one document: lists are [] when empty, and
  what is absent is null. An error is one object on standard error:
      { "code": "password-not-found", "message": "...", "hint": "..." }
  Codes and members keep their meaning; new members may come.
`,
  },
  {
    name: "secrets",
    summary: "how secrets go in and come out",
    text: `  In: from a file (--password-file secret.txt), a file descriptor
  (--password-file /dev/fd/3), standard input (--password-file -), or typed
  unseen when asked. Never as an argument, where other programs can read it.
  Such a file holds one line; the line break at its end does not count.
  Out: to a terminal only with --reveal; into pipes and files as they are.
  Lists and searches never hold them, with --json neither.
`,
  },
];
