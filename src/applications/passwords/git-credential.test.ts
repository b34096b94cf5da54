import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Password } from "./password.ts";
import { gitAnswer, loginsFor, readGitCredential } from "./git-credential.ts";

const login = (name: string, sites: readonly string[], more: Partial<Password> = {}) => ({ name, sites, username: "alice", password: `${name}-secret`, ...more }) as Password;
const names = (kept: readonly Password[], said: Parameters<typeof loginsFor>[1]) => loginsFor(kept, { protocol: "https", ...said }).map((one) => one.name);

suite("what Git asks a credential helper (gitcredentials(7))", () => {
  test("lines of name=value up to an empty one, those that we do not know left out", () => {
    assert.deepEqual(readGitCredential("protocol=https\nhost=git.example:8443\nwwwauth[]=Basic\nusername=a=b\n\nhost=evil.example\n"), { protocol: "https", host: "git.example:8443", username: "a=b" });
    for (const bad of ["https", "=x", "host=a\0b", "a".repeat(70_000)]) assert.throws(() => readGitCredential(bad), { code: "input-malformed" });
  });

  test("a login kept for the host, or for a domain above it, and not for one that only looks like it", () => {
    const kept = [login("own", ["https://git.example/alice"]), login("above", ["example"]), login("other", ["notgit.example"]), login("host", ["forge.dom.example"])];
    assert.deepEqual(names(kept, { host: "git.example" }), ["own"]);
    assert.deepEqual(names(kept, { host: "a.forge.dom.example" }), ["host"]);
    assert.deepEqual(names(kept, { host: "it.example" }), []);
  });

  test("over HTTPS alone, with a user name and a password", () => {
    const kept = [login("own", ["git.example"])];
    for (const said of [{ protocol: "http", host: "git.example" }, { protocol: "https" }, { protocol: "https", host: "" }, {}]) assert.deepEqual(loginsFor(kept, said), []);
    for (const more of [{ username: undefined }, { password: undefined }]) assert.deepEqual(names([login("own", ["git.example"], more)], { host: "git.example" }), []);
  });

  test("the user name that the URL names decides among several", () => {
    const kept = [login("a", ["git.example"]), login("b", ["git.example"], { username: "bob" })];
    assert.deepEqual(names(kept, { host: "git.example" }), ["a", "b"]);
    assert.deepEqual(names(kept, { host: "git.example", username: "bob" }), ["b"]);
    assert.deepEqual(names(kept, { host: "git.example", username: "carol" }), []);
  });

  test("a value that would break a line is not told", () => {
    assert.equal(gitAnswer(login("a", [])), "username=alice\npassword=a-secret");
    assert.throws(() => gitAnswer(login("a", [], { password: "x\nhost=evil.example" })), { code: "password-field-not-found" });
  });
});
