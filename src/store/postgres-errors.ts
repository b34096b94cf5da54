import { MeshError } from "../refusals/mesh-error.ts";

/** What the server says of an error: a code of five characters (https://www.postgresql.org/docs/15/errcodes-appendix.html); without a severity it does not come from the server. */
type ServerError = Error & { readonly code?: string; readonly severity?: string };

/** True if the server has said it, so that its word on the statement is known. */
export function isSaid(error: unknown): boolean {
  return error instanceof Error && (error as ServerError).severity !== undefined;
}

/** True if the same may go well when it is done again: serialization failure, deadlock, a lock or a statement that took too long. */
export function isConflict(error: unknown): boolean {
  return isSaid(error) && ["40001", "40P01", "55P03", "57014"].includes((error as ServerError).code ?? "");
}

/** The MeshError for what PostgreSQL, or the way to it, throws; others stay what they are. */
export function translatePostgres(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof MeshError) return error;
  const { code = "", severity, message } = error as ServerError;
  if (severity === undefined) return new MeshError("store-unreachable", `The database server cannot be reached: ${message}.`, "See whether it runs, and whether the URL of the database is right.");
  if (code === "53100") return new MeshError("store-full", "There is no room left on the disk of the database server; nothing was written.", "Make room there, then try again.");
  if (code === "25006") return new MeshError("store-read-only", "The database server takes no changes.", "See that the URL of the database leads to the primary, and no standby.");
  if (code === "42501") return new MeshError("store-read-only", "The user of the database may not do that.", "Make it the owner of the database: ALTER DATABASE name OWNER TO user.");
  if (code.startsWith("28")) return new MeshError("store-unreachable", `The database server does not let us in: ${message}.`, "PGPASSFILE names the file with the password; see also the server's pg_hba.conf.");
  if (code === "3D000") return new MeshError("store-not-found", `The server has no such database: ${message}.`, "Make it: createdb --owner USER NAME");
  if (code.startsWith("57P") || code === "53300") return new MeshError("store-unreachable", `The database server lets nobody in now: ${message}.`, "Try again.");
  if (code.startsWith("XX") || code === "58P01" || code === "22P02") return damagedServer(message);
  return new MeshError("store-failed", `The database server failed: ${message} (${code}).`);
}

/** The error for a database that is not as we made it. */
export function damagedServer(why: string): MeshError {
  return new MeshError("store-damaged", `The database is damaged: ${why}.`, "Restore it from a backup; it is left as it is.");
}

/** The error for a commit of which nobody knows whether it was made. */
export function unknownCommit(error: unknown): MeshError {
  const why = error instanceof Error ? error.message : "it does not say why";
  return new MeshError("store-failed", `The connection to the database server was lost while it committed: ${why}. Whether it did is not known.`, "Do it again.");
}

/** The error for a server that comes back without what was seen in it: a standby was promoted that lacked it, or an older copy was put back. */
export function rolledBack(): MeshError {
  return new MeshError("store-rolled-back", "The database lacks what was in it a moment ago: its server was exchanged for one that knows less.", "Bring back the server that has it; docs/operating.md says what to do if there is none.");
}

/** The error for a process whose clock is not that of the database: what it would promise others would hold to be late, or not yet due. */
export function clockOff(ahead: number): MeshError {
  return new MeshError("store-clock-off", `The clock of the database server is ${(Math.abs(ahead) / 1000).toFixed(1)} seconds ${ahead > 0 ? "ahead of" : "behind"} this machine's.`, "Have both set their clocks by the network (NTP); nothing is served before.");
}
