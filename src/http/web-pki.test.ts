import assert from "node:assert/strict";
import { test } from "node:test";
import { setDefaultCACertificates } from "node:tls";
import { makeTlsIdentity } from "../certificates/self-made.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { openConnection } from "./call.ts";
import { testIdentity, testService } from "./test-service.ts";

test("'web-pki' takes a certificate that this machine vouches for, under its own names only", async (t) => {
  const elsewhere = await makeTlsIdentity(["elsewhere.example"]);
  setDefaultCACertificates([(await testIdentity()).certificatePem, elsewhere.certificatePem]);
  const service = await testService();
  const misnamed = await testService(undefined, { tls: elsewhere });
  t.after(() => Promise.all([service.close(0), misnamed.close(0)]));
  const connection = openConnection(`https://localhost:${service.port}`, { trust: "web-pki" });
  t.after(() => connection.close());
  assert.deepEqual((await connection.get("/", {})).peerSpki, service.identity.spki);
  const other = openConnection(misnamed.url, { trust: "web-pki" });
  await assert.rejects(other.get("/", {}), (error: unknown) => error instanceof MeshError && error.code === "service-untrusted");
  assert.equal(misnamed.seen.length, 0);
});
