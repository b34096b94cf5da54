import { readFileSync } from "node:fs";
import { MeshError } from "../refusals/mesh-error.ts";

/** Where a PostgreSQL database is and who asks; what is secret is not in it. */
export interface PostgresAddress {
  /** A host, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string | undefined;
  /** What the server's certificate is checked against; false on this machine, where nobody listens in between. */
  readonly tls: false | { readonly host: string; readonly ca?: string };
}

/** Whether a text is meant as the URL of a PostgreSQL database. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(?:ql)?:/i.test(text);
}

/**
 * Reads `postgres://USER@HOST:PORT/DATABASE` or, for a Unix socket, `postgres:///DATABASE?host=/DIRECTORY&user=USER`.
 *
 * To another machine it is TLS with the certificate and its name checked, by the system's authorities or those in the file `sslrootcert`.
 * A password is refused: the URL stands in the list of processes and in the portal's settings. Error: `store-url`.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isPostgresUrl(text)) throw wrong("is not postgres://USER@HOST/DATABASE");
  if (url.password !== "" || url.searchParams.has("password")) {
    throw new MeshError("store-url", "The URL of the database holds a password, which everybody on this machine could read.", "Take it out, put it into the file that PGPASSFILE names (HOST:PORT:DATABASE:USER:PASSWORD, mode 0600), and change it.");
  }
  for (const [name] of url.searchParams) if (!["host", "port", "user", "sslmode", "sslrootcert"].includes(name)) throw wrong(`has a part ${JSON.stringify(name)}, which is not known`);
  const directory = url.searchParams.get("host") ?? "";
  if (directory !== "" && (url.hostname !== "" || !directory.startsWith("/"))) throw wrong("names a host twice; ?host= is for the directory of a Unix socket");
  const host = directory || url.hostname.replace(/^\[(.*)\]$/, "$1");
  const database = decode(url.pathname.slice(1));
  const port = Number(url.port || url.searchParams.get("port") || 5432);
  if (host === "" || database === "" || database.includes("/")) throw wrong("names no host or no database");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong("has no port that is one");
  return { host, port, database, user: decode(url.username) || (url.searchParams.get("user") ?? undefined), tls: tlsOf(host, url.searchParams) };
}

function tlsOf(host: string, parameters: URLSearchParams): PostgresAddress["tls"] {
  const mode = parameters.get("sslmode") ?? undefined;
  const root = parameters.get("sslrootcert") ?? undefined;
  const here = host.startsWith("/") || host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
  if (mode !== undefined && mode !== "verify-full" && !(here && mode === "disable")) throw wrong("asks for an sslmode other than verify-full");
  if (host.startsWith("/") || (here && mode !== "verify-full")) return false;
  if (root === undefined) return { host };
  try {
    return { host, ca: readFileSync(root, "utf8") };
  } catch {
    throw wrong(`names a file ${root} that cannot be read`);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong("is not encoded as URLs are");
  }
}

function wrong(why: string): MeshError {
  return new MeshError("store-url", `The URL of the database ${why}.`, "It is like postgres://mesh@db.example.com/mesh, or postgres:///mesh?host=/var/run/postgresql&user=mesh.");
}
