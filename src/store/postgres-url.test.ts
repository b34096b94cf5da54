import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { passwordFor } from "./postgres-password.ts";
import { parsePostgresUrl } from "./postgres-url.ts";

describe("the URL of a database", () => {
  test("is a host or the directory of a socket; to another machine it is TLS with the name checked", () => {
    assert.deepEqual(parsePostgresUrl("postgres://mesh@db.example.com/portal"), { host: "db.example.com", port: 5432, database: "portal", user: "mesh", tls: { host: "db.example.com" } });
    assert.deepEqual(parsePostgresUrl("postgresql://127.0.0.1:5433/p%20q"), { host: "127.0.0.1", port: 5433, database: "p q", user: undefined, tls: false });
    assert.deepEqual(parsePostgresUrl("postgres://localhost/p?sslmode=verify-full").tls, { host: "localhost" });
    assert.deepEqual(parsePostgresUrl("postgres:///p?host=/run/pg&port=5433&user=mesh"), { host: "/run/pg", port: 5433, database: "p", user: "mesh", tls: false });
  });

  for (const url of ["", "mesh", "http://db/p", "postgres://db", "postgres:///p", "postgres://db/p/q", "postgres://db/p?sslmode=require", "postgres://db/p?sslmode=disable", "postgres://db/p?options=-c", "postgres://db/p?host=/run", "postgres://db/p?sslrootcert=/not/there", "postgres://db/%zz", "postgres://db:0/p"]) {
    test(`refuses ${JSON.stringify(url)}`, () => assert.throws(() => parsePostgresUrl(url), { code: "store-url" }));
  }

  for (const url of ["postgres://mesh:hunter2@db/p", "postgres:///p?host=/run&password=hunter2"]) {
    test(`refuses a password, and does not repeat it: ${url.length}`, () => assert.throws(() => parsePostgresUrl(url), (error: Error & { code?: string }) => error.code === "store-url" && !JSON.stringify([error.message, error]).includes("hunter2")));
  }
});

test("the password is where PostgreSQL's own programs look for it, and only if nobody else may read it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mesh-pgpass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "passwords");
  writeFileSync(file, "# ours\nother:5432:portal:mesh:no\ndb:*:portal:mesh:a\\:b\\\\c\nlocalhost:5432:*:mesh:socket\n", { mode: 0o600 });
  const address = parsePostgresUrl("postgres://mesh@db/portal");
  assert.equal(passwordFor(address, { PGPASSFILE: file }), "a:b\\c");
  assert.equal(passwordFor(address, { PGPASSFILE: file, PGPASSWORD: "said" }), "said");
  assert.equal(passwordFor(parsePostgresUrl("postgres:///portal?host=/run&user=mesh"), { PGPASSFILE: file }), "socket");
  assert.equal(passwordFor(parsePostgresUrl("postgres://bob@db/portal"), { PGPASSFILE: file }), undefined);
  chmodSync(file, 0o644);
  assert.throws(() => passwordFor(address, { PGPASSFILE: file }), { code: "store-url" });
});
