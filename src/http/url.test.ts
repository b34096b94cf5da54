import assert from "node:assert/strict";
import { test } from "node:test";
import { MeshError } from "../refusals/mesh-error.ts";
import { parsePortalUrl } from "./url.ts";

test("a portal's URL gives origin, host, port and pin", () => {
  assert.deepEqual(parsePortalUrl("https://Portal.Example.com"), { origin: "https://portal.example.com", host: "portal.example.com", port: 443 });
  assert.deepEqual(parsePortalUrl("https://[::1]:8443/#MAAA-BBBB"), { origin: "https://[::1]:8443", host: "::1", port: 8443, pin: "MAAA-BBBB" });
  assert.deepEqual(parsePortalUrl("https://127.0.0.1:443#"), { origin: "https://127.0.0.1", host: "127.0.0.1", port: 443 });
});

test("anything else is refused", () => {
  for (const text of ["http://a.example", "a.example", "", "https://", "https://u:p@a.example", "https://u@a.example", "https://a.example/x", "https://a.example/?q", "https://a.example:99999", "file:///etc/passwd"]) {
    assert.throws(() => parsePortalUrl(text), (error: unknown) => error instanceof MeshError && error.code === "service-url" && error.exit === 2, text);
  }
});
