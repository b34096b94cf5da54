import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { expectStatus, openPlace, type Place, type PortalProcess } from "../support/processes.ts";

/** A certificate authority of a test, and certificates for localhost that it issues. */
function authority(folder: string): { readonly ca: string; issue(name: string): { readonly certificate: string; readonly key: string } } {
  mkdirSync(folder, { recursive: true });
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=An authority");
  writeFileSync(join(folder, "san"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  return {
    ca: join(folder, "ca.pem"),
    issue: (name) => {
      openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", "/CN=localhost");
      openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", `${name}.pem`, "-days", "1", "-extfile", "san");
      return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    },
  };
}

async function tell(portal: PortalProcess, log: string): Promise<void> {
  const before = linesOf(log);
  portal.signal("SIGHUP");
  for (let tries = 0; tries < 100 && linesOf(log) === before; tries++) await sleep(50);
}

function linesOf(path: string): number {
  try {
    return readFileSync(path, "utf8").split("\n").filter((line) => line.includes('"event":"certificate')).length;
  } catch {
    return 0;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

suite("certificates of an authority", () => {
  test("serve who has no pin, by the web's rules; a renewed one is read on SIGHUP, and nobody who pinned the portal is alarmed", { timeout: 90_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    const { ca, issue } = authority(join(place.folder, "ca"));
    const [certificate, key, log] = ["shown.pem", "shown.key", "log"].map((name) => join(place.folder, name)) as [string, string, string];
    const show = (of: { readonly certificate: string; readonly key: string }): void => {
      copyFileSync(of.certificate, certificate);
      copyFileSync(of.key, key);
    };
    show(issue("first"));
    const portal = await place.portal({ domain: "localhost", serve: ["--certificate", certificate, "--certificate-key", key, "--log", log] });
    const bare = `https://localhost:${portal.port}`;
    const stranger = await place.mesh("stranger", ["create", "bob@localhost", "--portal", bare, "--no-passphrase", "--json"]);
    assert.equal((JSON.parse(stranger.stderr) as { code: string }).code, "service-untrusted");
    expectStatus(await place.mesh("desktop", ["create", "alice@localhost", "--portal", bare, "--no-passphrase"], { NODE_EXTRA_CA_CERTS: ca }), 0);
    expectStatus(await place.mesh("other", ["create", "carol@localhost", "--portal", portal.url, "--no-passphrase"]), 0);

    show(issue("second"));
    await tell(portal, log);
    for (const who of ["desktop", "other"]) expectStatus(await place.mesh(who, ["sync"]), 0);
    assert.match(readFileSync(log, "utf8"), /"event":"certificate-read"/);

    // A key that is not the certificate's: the one shown before stays.
    copyFileSync(issue("third").key, key);
    await tell(portal, log);
    assert.match(readFileSync(log, "utf8") + portal.said(), /"event":"certificate-not-read"/);
    for (const who of ["desktop", "other"]) expectStatus(await place.mesh(who, ["sync"]), 0);

    await portal.stop();
    expectStatus(await place.mesh("operator", ["portal", "serve", "--data", portal.directory, "--certificate", certificate, "--certificate-key", key]), 1);
    expectStatus(await place.mesh("operator", ["portal", "serve", "--data", portal.directory, "--certificate", certificate]), 2);
    expectStatus(await place.mesh("operator", ["portal", "serve", "--data", portal.directory, "--certificate", "none", "--certificate-key", key]), 2);
    // Back to the self-made one: vouched for again.
    const plain = place.made(portal.directory);
    await plain.start();
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
  });
});

/** A real nginx before a portal, which takes a caller's address from a header in a test's hands; for requests that carry none it says the true one. */
async function nginxBefore(t: TestContext, place: Place, portal: number, tls: { readonly certificate: string; readonly key: string }): Promise<number> {
  const port = await freePort();
  const folder = join(place.folder, "nginx");
  mkdirSync(folder);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  writeFileSync(join(folder, "conf"), `
worker_processes 1; daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; ${temporary}
  map $http_x_test_caller $caller { "" $proxy_add_x_forwarded_for; default "$http_x_forwarded_for, $http_x_test_caller"; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_protocols TLSv1.3; ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};
    client_max_body_size 2m;
    location /.well-known/mmm { proxy_pass https://127.0.0.1:${portal}; proxy_ssl_protocols TLSv1.3; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $caller; }
  }
}
`);
  // Debian puts servers where a person's PATH may not look.
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "conf"), "-e", join(folder, "error.log")], { env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` }, stdio: "ignore" });
  const gone = new Promise((done) => child.once("exit", done).once("error", done));
  t.after(async () => {
    child.kill("SIGTERM");
    await gone;
  });
  for (let tries = 0; tries < 100; tries++) {
    if (await hello(port, undefined).then(() => true, () => false)) return port;
    await sleep(50);
  }
  return assert.fail(readFileSync(join(folder, "error.log"), "utf8"));
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

function hello(port: number, caller: string | undefined, forwarded?: string): Promise<number> {
  const headers = { "content-type": "application/json", ...(caller === undefined ? {} : { "x-test-caller": caller }), ...(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }) };
  return new Promise((done, fail) => {
    const one = request({ agent, host: "127.0.0.1", port, method: "POST", path: "/.well-known/mmm", headers, rejectUnauthorized: false }, (response) => response.resume().once("end", () => done(response.statusCode ?? 0)));
    one.once("error", fail).end('{"Hello":{}}');
  });
}

suite("behind a reverse proxy", () => {
  test("nobody is local, limits are each caller's own, and who pinned the portal meets the proxy's certificate without alarm", { timeout: 90_000 }, async (t) => {
    const place = openPlace();
    t.after(place.close);
    t.after(() => agent.destroy());
    const tls = authority(join(place.folder, "ca")).issue("proxy");
    const portal = await place.portal({ serve: ["--behind-proxy", "127.0.0.1", "--proxy-certificate", tls.certificate] });
    const port = await nginxBefore(t, place, portal.port, tls);
    const url = `https://127.0.0.1:${port}#${portal.pin}`;
    const refused = await place.mesh("desktop", ["create", "alice@example.com", "--portal", url, "--no-passphrase", "--json"]);
    assert.equal((JSON.parse(refused.stderr) as { code: string }).code, "account-not-invited");
    const { invitation } = await place.json<{ invitation: string }>("operator", ["portal", "invite", "--data", portal.directory]);
    expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", url, "--no-passphrase", "--invitation-file", place.file("invitation", `${invitation}\n`)]), 0);
    expectStatus(await place.mesh("desktop", ["password", "add", "mail", "--generate"]), 0);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);

    // Six hundred a minute and an address: whoever uses them up is told to wait, whatever he writes in the header himself; others are not.
    const many = await Promise.all(Array.from({ length: 760 }, (_, at) => hello(port, "198.51.100.7", at % 2 === 0 ? undefined : `203.0.113.${at % 250}`)));
    assert.deepEqual([...new Set(many)].sort(), [200, 429]);
    assert.equal(await hello(port, "198.51.100.8"), 200);
    assert.equal(await hello(port, "2001:db8::7"), 200);
    expectStatus(await place.mesh("desktop", ["sync"]), 0);
    for (const wrong of [["--behind-proxy", "localhost"], ["--proxy-certificate", tls.certificate]]) expectStatus(await place.mesh("operator", ["portal", "serve", "--data", portal.directory, ...wrong]), 2);
  });
});

test("a portal that systemd started says to it when it is ready", { timeout: 30_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const directory = place.home("portal");
  expectStatus(await place.mesh("operator", ["portal", "init", "--data", directory, "--domain", "localhost"]), 0);
  const told = join(place.folder, "told");
  writeFileSync(join(place.folder, "systemd-notify"), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" > ${told}.new && mv ${told}.new ${told}\n`, { mode: 0o755 });
  const running = place.start("operator", ["portal", "serve", "--data", directory], { NOTIFY_SOCKET: "/run/notify" });
  for (let tries = 0; tries < 200 && spawnSync("test", ["-f", told]).status !== 0; tries++) await sleep(50);
  assert.equal(readFileSync(told, "utf8"), "/run/notify --ready --status=serving\n");
  running.kill("SIGTERM");
  assert.equal((await running.ended).status, 0);
});
