import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makeTlsIdentity } from "../../src/certificates/self-made.ts";
import { openPostgresStore } from "../../src/store/postgres.ts";
import { openCluster, withoutPostgres } from "../support/cluster.ts";

describe("a PostgreSQL server over TCP and TLS", { skip: withoutPostgres }, async () => {
  if (withoutPostgres !== false) return;
  const folder = mkdtempSync(join(tmpdir(), "mesh-pg-tls-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const [right, other] = [await makeTlsIdentity(["localhost"]), await makeTlsIdentity(["db.example.com"])];
  const file = (name: string, content: string, mode = 0o644): string => {
    writeFileSync(join(folder, name), content, { mode });
    return join(folder, name);
  };
  const [certificate, key] = [file("server.pem", right.certificatePem), file("server.key", right.keyPkcs8Pem, 0o600)];
  const [wrongName, wrongKey] = [file("other.pem", other.certificatePem), file("other.key", other.keyPkcs8Pem, 0o600)];
  if (process.getuid?.() === 0) for (const secret of [key, wrongKey]) chownSync(secret, 65_534, 65_534);
  const cluster = await openCluster(["listen_addresses = '127.0.0.1'", `port = ${port}`, "ssl = on", `ssl_cert_file = '${certificate}'`, `ssl_key_file = '${key}'`, "password_encryption = 'scram-sha-256'"]);
  after(async () => (await cluster.close(), rmSync(folder, { recursive: true, force: true })));
  await cluster.ask("CREATE USER portal PASSWORD 'hunter2'");
  await cluster.ask("CREATE DATABASE portal OWNER portal");
  // Whoever comes over TCP has to show a password, and comes over TLS.
  writeFileSync(join(cluster.folder, "data", "pg_hba.conf"), "local all mesh trust\nhostssl all portal 127.0.0.1/32 scram-sha-256\n");
  await cluster.ask("SELECT pg_reload_conf()");
  const url = (root: string, host = "localhost"): string => `postgres://portal@${host}:${port}/portal?sslmode=verify-full&sslrootcert=${encodeURIComponent(root)}`;

  /** Opens a store with a password in the file that is meant for it. */
  const open = async (to: string, password: string) => {
    process.env["PGPASSFILE"] = file("passwords", `*:*:portal:portal:${password}\n`, 0o600);
    return openPostgresStore(to, { owner: "test", patience: 500 });
  };

  test("a password from its file opens it, and it is TLS", async () => {
    const store = await open(url(certificate), "hunter2");
    assert.equal(await store.transact((w) => w.append(Uint8Array.of(1))), 0);
    assert.equal(await cluster.ask("SELECT bool_and(ssl) AND count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'portal'"), "t");
    await store.close();
  });

  test("a wrong password is refused, and neither is told", async () => {
    const told = await open(url(certificate), "wrong-hunter3").then(() => assert.fail("opened"), (error: Error & { code?: string }) => error);
    assert.equal(told.code, "store-unreachable");
    assert.doesNotMatch(`${told.stack} ${JSON.stringify(told)}`, /hunter/);
  });

  test("a certificate of another authority is refused", async () => {
    await assert.rejects(open(url(wrongName), "hunter2"), { code: "store-unreachable" });
  });

  test("a certificate for another name is refused", async () => {
    await cluster.ask(`ALTER SYSTEM SET ssl_cert_file = '${wrongName}'`);
    await cluster.ask(`ALTER SYSTEM SET ssl_key_file = '${wrongKey}'`);
    await cluster.ask("SELECT pg_reload_conf()");
    await assert.rejects(open(url(wrongName), "hunter2"), { code: "store-unreachable" });
  });

  test("without TLS it is not tried where the server wants it", async () => {
    await assert.rejects(open(`postgres://portal@127.0.0.1:${port}/portal`, "hunter2"), { code: "store-unreachable" });
  });
});

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
