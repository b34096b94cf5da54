import type { Command, Option } from "../command.ts";

const data: Option = { name: "data", value: "DIR", about: "the portal's directory" };
const database: Option = { name: "database", value: "URL", about: "keep the records in this PostgreSQL database, postgres://USER@HOST/NAME, and not in a file" };
const depot: Option = { name: "depot", value: "DIR", about: "keep blobs and tiles as files in this directory, and not in the database" };

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
      database,
      depot,
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
    options: [
      data,
      { name: "log", value: "FILE", about: "write the log here (- is standard error); it names nobody" },
      { name: "log-level", value: "LEVEL", choices: ["error", "warn", "info", "debug"], about: "error, warn, info (a line a request) or debug; info where --log is given, else error" },
      { name: "metrics", value: "HOST:PORT", about: "answer /metrics there over plain HTTP, for Prometheus; a port alone is on 127.0.0.1" },
      { name: "quota", value: "SIZE", about: "the room of an account (1G); `mesh portal quota` gives one account another" },
      { name: "certificate", value: "FILE", about: "show this certificate, with its chain, in place of the self-made one (PEM)" },
      { name: "certificate-key", value: "FILE", about: "its key (PEM); both are read again when they change, and on SIGHUP" },
      { name: "behind-proxy", value: "ADDRESS", many: true, about: "a reverse proxy, or network of such, whose word on its callers counts" },
      { name: "proxy-certificate", value: "FILE", about: "the certificate that this proxy shows (PEM), for the portal to vouch for" },
      { name: "cosign", value: "FILE", many: true, about: "vouch for the logs of others whose keys stand in this file, one a line (NAME+IDENTIFIER+KEY); kept for every start, until you say `none`" },
      { name: "cosigners", value: "FILE", many: true, about: "those who vouch for this portal's log, each on a line: URL, space, key; kept for every start, until you say `none`" },
      { name: "quorum", value: "N", about: "so many of them must say at its start that the portal was not set back (1); kept, but for 0" },
      { name: "add", value: "N", about: "for tests of load only: let anybody add N entries a second to the log" },
      { name: "writes-per-hour", value: "N", about: "changes that an account may make in an hour (10000)" },
      database,
      depot,
    ],
    examples: [
      { line: "mesh portal serve --data ~/portal", about: "until Ctrl-C or SIGTERM" },
      { line: "mesh portal serve --data ~/portal --log - --metrics 9464", about: "with a line a request, and numbers for Prometheus" },
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
  {
    path: ["portal", "accounts"],
    summary: "List the accounts of your portal.",
    positionals: [],
    options: [data],
    examples: [
      { line: "mesh portal accounts --data ~/portal", about: "who, how much room is used, how many devices, when last seen" },
      { line: "mesh portal accounts --data ~/portal --json", about: "the same for a program" },
    ],
    about: ["Last seen is when a device last opened a session or changed something; one that only reads in an old session is not seen. What was given up is taken away 30 days after it was closed."],
    load: () => import("../commands/portal/accounts.ts"),
  },
  {
    path: ["portal", "check"],
    summary: "Judge all that a portal keeps anew, and mend what can be mended.",
    positionals: [],
    options: [data, { name: "repair", about: "make anew what follows from the rest, after a copy, and take away what nobody uses" }],
    examples: [
      { line: "mesh portal check --data ~/portal", about: "stopped, or while it serves" },
      { line: "mesh portal check --data ~/portal --repair", about: "heads, counts, names, indexes; never a signed object" },
    ],
    about: ["Every signature is verified and every chain is followed, about a thousand objects a second. It ends with 0 when all is well or was mended, else with 1; what is lost is named and left as it is."],
    load: () => import("../commands/portal/check.ts"),
  },
  {
    path: ["portal", "backup"],
    summary: "Copy a portal into one file, while it serves.",
    positionals: [],
    options: [data, { name: "out", value: "FILE", about: "a file that is not there yet" }],
    examples: [
      { line: "mesh portal backup --data ~/portal --out /backup/portal-2026-06-01", about: "each under a name of its own" },
      { line: "mesh portal restore /backup/portal-2026-06-01 --data ~/portal-new", about: "what it is for" },
    ],
    about: ["The file holds the portal's keys: whoever has it can pass for the portal. It holds nothing that opens what its users wrote. It appears under its name only when it is whole and on disk."],
    load: () => import("../commands/portal/backup.ts"),
  },
  {
    path: ["portal", "restore"],
    summary: "Make a portal from a backup.",
    positionals: [{ name: "FILE", about: "what `mesh portal backup` wrote" }],
    options: [data, depot],
    examples: [
      { line: "mesh portal restore /backup/portal-2026-06-01 --data ~/portal", about: "into a directory that is empty or not there" },
      { line: "mesh sync --bring-back", about: "what your users then do, on the device used last first" },
    ],
    about: ["The portal stays the one that its users pinned, and tells their devices under its own key that it was restored. What came after the backup is lost here: devices that know of it stop (exit 6) until their owner has them bring it back. An account that was made since is lost."],
    load: () => import("../commands/portal/restore.ts"),
  },
  {
    path: ["portal", "migrate"],
    summary: "Move a portal's records into PostgreSQL or a depot, or back into a file.",
    positionals: [],
    options: [
      data,
      { name: "to", value: "URL|DIR", about: "an empty PostgreSQL database, postgres://USER@HOST/NAME, or the portal's directory for the file in it" },
      { name: "depot", value: "DIR|none", about: "in place of --to: move blobs and tiles out of the file into this directory, or back" },
    ],
    examples: [
      { line: "mesh portal migrate --data ~/portal --to postgres://mesh@db.example.com/mesh", about: "into PostgreSQL, while the portal is stopped" },
      { line: "mesh portal migrate --data ~/portal --to ~/portal", about: "and back" },
    ],
    about: ["Everything is copied in one transaction and compared octet for octet before the portal is told where it is now. Cut off, it is run again. A depot stays where it is; `--depot DIR` makes one, of a portal with a file. The password is never in the URL: PGPASSFILE names a file with it, as for psql."],
    load: () => import("../commands/portal/migrate.ts"),
  },
  {
    path: ["portal", "unit"],
    summary: "Print a systemd unit for a portal, hardened.",
    positionals: [{ name: "ARGUMENT", many: true, optional: true, about: "what else `mesh portal serve` is given" }],
    options: [data, { name: "user", value: "NAME", about: "run as this user (one that systemd makes for it)" }],
    examples: [
      { line: "mesh portal unit --data /var/lib/mesh-portal", about: "to /etc/systemd/system/mesh-portal.service" },
      { line: "mesh portal unit --data /var/lib/mesh-portal -- --metrics 9464", about: "with more for `mesh portal serve`" },
    ],
    about: ["The portal's directory is to be directly in /var/lib; nothing else is writable to the service. It is ready when it says so, and reads its certificate again on `systemctl reload`."],
    load: () => import("../commands/portal/unit.ts"),
  },
  {
    path: ["portal", "quota"],
    summary: "Give one account more room, or less.",
    positionals: [{ name: "ADDRESS" }, { name: "SIZE", about: "like 500M or 2G; `default` is what everybody has" }],
    options: [data],
    examples: [
      { line: "mesh portal quota alice@example.com 5G --data ~/portal", about: "at once, while the portal runs" },
      { line: "mesh portal quota alice@example.com default --data ~/portal", about: "as everybody" },
    ],
    load: () => import("../commands/portal/quota.ts"),
  },
];
