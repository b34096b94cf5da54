import type { Client } from "pg";
import { MeshError } from "../refusals/mesh-error.ts";
import { damagedServer } from "./postgres-errors.ts";

/** The layout in force; the row of `head` says which one a database has. */
export const postgresFormat = 1;

/** What a database says of itself in its one row `head`; `owner` is whose records it holds, for whoever opens it to compare. */
export type Head = { readonly format: number; readonly owner: string; readonly moved: boolean };

/**
 * The tables. Names of shelves and keys are octets, whose order is the contract's whatever the database's own collation is. Values are ciphertext
 * and are not compressed. Every commit changes the one row of `head`, so it has room on its page to be changed in place.
 */
function layout(schema: string): string {
  return `
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.entry (shelf bytea NOT NULL, key bytea NOT NULL, value bytea NOT NULL, PRIMARY KEY (shelf, key));
    CREATE TABLE ${schema}.log (number bigint PRIMARY KEY, leaf bytea NOT NULL);
    CREATE TABLE ${schema}.head (one boolean PRIMARY KEY DEFAULT true CHECK (one), format integer NOT NULL, owner text NOT NULL, moved boolean NOT NULL DEFAULT false, version bigint NOT NULL, size bigint NOT NULL) WITH (fillfactor = 10);
    ALTER TABLE ${schema}.entry ALTER COLUMN value SET STORAGE EXTERNAL;
    ALTER TABLE ${schema}.log ALTER COLUMN leaf SET STORAGE EXTERNAL;`;
}

/** Makes the tables where there are none; two who do so at once agree on one. */
export async function establishPostgres(client: Client, schema: string, owner: string): Promise<void> {
  for (let tries = 0; !(await exists(client, schema)); tries++) {
    try {
      await client.query(`BEGIN; ${layout(schema)} INSERT INTO ${schema}.head (format, owner, version, size) VALUES (${postgresFormat}, '${owner.replaceAll("'", "''")}', 0, 0); COMMIT`);
    } catch (error) {
      await client.query("ROLLBACK");
      // A schema that is there, or is being made: somebody else has begun as well.
      if (tries > 3 || !["23505", "42P06", "40001"].includes((error as { code?: string }).code ?? "")) throw error;
    }
  }
}

/** Reads what a database says of itself; refuses what is newer or no whole one of ours. */
export async function examinePostgres(client: Client, schema: string): Promise<Head> {
  const head = await client.query<Head>(`SELECT format, owner, moved FROM ${schema}.head`).then(({ rows }) => rows[0], (error: unknown) => {
    // No such schema, table or column.
    if (!["3F000", "42P01", "42703"].includes((error as { code?: string }).code ?? "")) throw error;
    return undefined;
  });
  if (head === undefined) throw damagedServer(`its schema ${schema} is not as we make it`);
  if (head.format !== postgresFormat) throw newerServer();
  return head;
}

/** The error for a database of another format. */
export function newerServer(): MeshError {
  return new MeshError("store-newer", "A newer version of the program wrote the database.", "Update this one; the database was not touched.");
}

/** The error for a database with the records of another portal. */
export function otherOwner(): MeshError {
  return new MeshError("store-wrong-portal", "The database holds the records of another portal.", "Give each portal a database of its own.");
}

/** The error for a database whose records were moved elsewhere. */
export function movedAway(): MeshError {
  return new MeshError("store-moved", "What this database holds was moved elsewhere.", "Restart the portal; if it says this again, `mesh portal migrate` was cut off: run it again.");
}

async function exists(client: Client, schema: string): Promise<boolean> {
  return (await client.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [schema])).rows.length > 0;
}
