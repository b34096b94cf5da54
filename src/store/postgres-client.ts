import type { Client, CustomTypesConfig } from "pg";
import { MeshError } from "../refusals/mesh-error.ts";
import { passwordFor } from "./postgres-password.ts";
import type { PostgresAddress } from "./postgres-url.ts";

const oids = { bool: 16, bytea: 17, bigint: 20, integer: 23 } as const;

/**
 * What comes back, by its type. As text, octets in hexadecimal digits: what the package calls binary it reads as UTF-8, and loses octets. Parameters
 * do travel in binary.
 */
const types: CustomTypesConfig = {
  getTypeParser: (oid: number) => {
    switch (oid) {
      case oids.bool:
        return (text: string) => text === "t";
      case oids.bytea:
        return (text: string) => Buffer.from(text.slice("\\x".length), "hex");
      case oids.bigint:
      case oids.integer:
        return Number;
      default:
        return (text: string) => text;
    }
  },
};

/**
 * What holds for every connection of ours. Plans that are right for a table of any size, since they are made once; bounds on whatever
 * could hang; and commits that are on disk, here and where a standby is waited for, when they are acknowledged.
 */
const settings = `
  SET search_path = ''; SET bytea_output = 'hex'; SET statement_timeout = '30s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s';
  SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; SET plan_cache_mode = force_generic_plan;
  SELECT CASE WHEN pg_catalog.current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE pg_catalog.set_config('synchronous_commit', 'on', false) END`;

/** Connects to the primary; refuses one that may lose what it acknowledged (`store-unsafe`). */
export async function connectPostgres(address: PostgresAddress): Promise<Client> {
  // Loaded by whoever has such a database.
  const { default: postgres } = await import("pg");
  const { host, port, database, user, tls } = address;
  const client = new postgres.Client({
    host,
    port,
    database,
    user,
    password: passwordFor(address) ?? "",
    ssl: tls === false ? false : { ...tls, rejectUnauthorized: true, minVersion: "TLSv1.2" },
    application_name: "mesh portal",
    connectionTimeoutMillis: 5_000,
    query_timeout: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: true,
    types,
  });
  // Whoever waits for an answer hears of a lost connection; nobody else needs to.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(settings);
    await demandSafe(client);
    return client;
  } catch (error) {
    abandon(client);
    throw error;
  }
}

/** Lets go of a connection, whatever state it is in. */
export function abandon(client: Client): void {
  void client.end().catch(() => undefined);
}

async function demandSafe(client: Client): Promise<void> {
  const { rows } = await client.query("SELECT pg_catalog.current_setting('fsync') AS fsync, pg_catalog.current_setting('full_page_writes') AS pages, pg_catalog.pg_is_in_recovery() AS standby");
  const [found] = rows as { readonly fsync: string; readonly pages: string; readonly standby: boolean }[];
  if (found?.standby === true) throw new MeshError("store-read-only", "The database server is a standby.", "See that the URL of the database leads to the primary.");
  for (const [name, value] of [["fsync", found?.fsync], ["full_page_writes", found?.pages]] as const) {
    if (value !== "on") throw new MeshError("store-unsafe", `The database server may lose what it acknowledged when the power fails: ${name} is off.`, `Set ${name} = on in its postgresql.conf, and restart it.`);
  }
}
