import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { concatBytes } from "../../bytes/equal.ts";
import { utf8 } from "../../bytes/text.ts";
import { generateEd25519, signEd25519 } from "../../crypto/ed25519.ts";
import { failureAnswer, identitiesAnswer, queryAnswer, readAgentRequest, signatureAnswer, successAnswer } from "./agent-messages.ts";
import { readAuthorizedKeys, withBlock } from "./authorized-keys.ts";
import { type Contents, makeCertificate, readCertificate } from "./certificate.ts";
import { ed25519Blob, ed25519Of, fingerprintOf, keyLine, readKeyLine } from "./public-key.ts";
import { purposeOf } from "./signed-data.ts";
import { byte, SshReader, string, strings, uint32, uint64 } from "./wire.ts";

const malformed = { code: "ssh-malformed" };
const octets = (most = 64) => fc.uint8Array({ maxLength: most });
const key = generateEd25519();
const authority = generateEd25519();
const signer = { publicKey: authority.publicKey, sign: (message: Uint8Array) => signEd25519(authority.privateKey, message) };
const contents: Contents = { key: key.publicKey, kind: "user", serial: 2n ** 63n, id: "laptop", principals: ["alice"], from: 1_700_000_000, until: 1_800_000_000 };

suite("SSH's wire (RFC 4251 §5)", () => {
  test("what is written reads back, whatever it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), octets(), fc.array(fc.string(), { maxLength: 5 }), (one, small, large, some, names) => {
        const reader = new SshReader(concatBytes(byte(one), uint32(small), uint64(large), string(some), strings(names)), "It");
        assert.deepEqual([reader.byte(), reader.uint32(), reader.uint64(), reader.string(), reader.texts(5)], [one, small, large, some, names.map((name) => new TextDecoder().decode(utf8(name)))]);
        reader.end();
      }),
    );
  });

  test("a length that lies is refused, and nothing beyond the end is read", () => {
    for (const length of [1, 5, 2 ** 31, 2 ** 32 - 1]) assert.throws(() => new SshReader(uint32(length), "It").string(), malformed);
    assert.throws(() => new SshReader(new Uint8Array(3), "It").uint32(), malformed);
    assert.throws(() => new SshReader(strings(["a", "b", "c"]), "It").texts(2), malformed);
    assert.throws(() => new SshReader(byte(1), "It").end(), malformed);
    assert.throws(() => new SshReader(string(Uint8Array.of(0xff)), "It").text(), malformed);
  });
});

suite("public keys (RFC 8709, RFC 4253 §6.6)", () => {
  const blob = ed25519Blob(key.publicKey);

  test("a line reads back, and what would break it is left out of the comment", () => {
    assert.deepEqual(readKeyLine(keyLine({ kind: "ssh-ed25519", blob }, "alice's\nlaptop ü ")), { kind: "ssh-ed25519", blob, comment: "alice'slaptop" });
    assert.deepEqual(ed25519Of(blob), key.publicKey);
  });

  test("a line whose kind is another than its blob's, another spelling or a second line is refused", () => {
    const line = keyLine({ kind: "ssh-ed25519", blob });
    for (const bad of ["", "ssh-ed25519", line.replace("ssh-ed25519", "ssh-rsa"), line.slice(0, -2), `${line}=`, `${line}\n${line}`, `no-pty ${line}`, `ssh-ed25519 ${"A".repeat(9000)}`]) assert.throws(() => readKeyLine(bad), malformed, bad);
  });

  test("a blob of Ed25519 has 32 octets and an end", () => {
    assert.throws(() => ed25519Of(ed25519Blob(new Uint8Array(31))), malformed);
    assert.throws(() => ed25519Of(concatBytes(blob, byte(0))), malformed);
    assert.equal(ed25519Of(concatBytes(string("ssh-rsa"), string(byte(3)))), undefined);
  });

  test("the fingerprint is that of OpenSSH", () => {
    // `ssh-keygen -lf` of the key with 32 zero octets.
    assert.equal(fingerprintOf(ed25519Blob(new Uint8Array(32))), "SHA256:kmYcvdi2GkPeWxB6XLjrZB8JHsy2Hm8luHMFp9GMvqk");
  });
});

suite("certificates (OpenSSH's PROTOCOL.certkeys)", () => {
  test("what is made reads back", async () => {
    for (const more of [{}, { kind: "host" as const }, { critical: { "source-address": "10.0.0.0/8", "force-command": "true" } }, { allows: ["permit-pty"] }, { from: 0, until: Number.MAX_SAFE_INTEGER }]) {
      const made = await makeCertificate({ ...contents, ...more }, signer);
      const { blob, authority: by, critical, allows, ...read } = readCertificate(made);
      const { critical: askedCritical = {}, allows: _, ...asked } = { ...contents, ...more };
      assert.deepEqual(read, asked);
      assert.deepEqual([blob, by], [made, authority.publicKey]);
      assert.deepEqual({ ...critical }, askedCritical);
      assert.equal(allows?.length, "allows" in more ? 1 : read.kind === "user" ? 5 : 0);
    }
  });

  test("one that stands for nobody in particular would stand for everybody, and is not made", async () => {
    await assert.rejects(makeCertificate({ ...contents, principals: [] }, signer), TypeError);
    await assert.rejects(makeCertificate({ ...contents, principals: [""] }, signer), TypeError);
  });

  test("every flipped bit is refused, and every cut", async () => {
    const made = await makeCertificate(contents, signer);
    for (let at = 0; at < made.length; at++) {
      assert.throws(() => readCertificate(made.with(at, (made[at] as number) ^ (1 << (at % 8)))), (error: { code?: string }) => error.code === "ssh-malformed" || error.code === "ssh-wrong-signature", `octet ${at}`);
      assert.throws(() => readCertificate(made.subarray(0, at)), malformed);
    }
    assert.throws(() => readCertificate(concatBytes(made, byte(0))), malformed);
  });
});

suite("messages to the agent (draft-ietf-sshm-ssh-agent)", () => {
  const blob = ed25519Blob(key.publicKey);

  test("each request is read as what it is", () => {
    assert.deepEqual(readAgentRequest(byte(11)), { ask: "identities" });
    assert.deepEqual(readAgentRequest(concatBytes(byte(13), string(blob), string("data"), uint32(4))), { ask: "sign", key: blob, data: utf8("data"), flags: 4 });
    assert.deepEqual(readAgentRequest(concatBytes(byte(22), string("word"))), { ask: "lock", passphrase: utf8("word") });
    assert.deepEqual(readAgentRequest(concatBytes(byte(27), string("query"))), { ask: "query" });
    assert.deepEqual(readAgentRequest(concatBytes(byte(27), string("session-bind@openssh.com"), string("host"), string("session"), string("signature"), byte(7))), { ask: "bind", hostKey: utf8("host"), session: utf8("session"), signature: utf8("signature"), forwarding: true });
  });

  test("what we do not do is told apart from what is wrong: clients go on after a failure", () => {
    assert.deepEqual(readAgentRequest(concatBytes(byte(17), string("ssh-rsa"))), { ask: "other", number: 17 });
    assert.deepEqual(readAgentRequest(concatBytes(byte(27), string("new@example.com"), byte(1), byte(2))), { ask: "extension", name: "new@example.com" });
  });

  test("a message that is cut, or goes on after its end, is refused", () => {
    const sign = concatBytes(byte(13), string(blob), string("data"), uint32(0));
    for (let length = 0; length < sign.length; length++) assert.throws(() => readAgentRequest(sign.subarray(0, length)), malformed);
    assert.throws(() => readAgentRequest(concatBytes(sign, byte(0))), malformed);
    assert.throws(() => readAgentRequest(concatBytes(byte(11), byte(0))), malformed);
  });

  test("whatever octets come, they are read or refused", () => {
    fc.assert(fc.property(octets(200), (message) => {
      try {
        readAgentRequest(message);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ssh-malformed");
      }
    }));
  });

  test("answers are framed by their length", () => {
    assert.deepEqual(successAnswer, concatBytes(uint32(1), byte(6)));
    assert.deepEqual(failureAnswer, concatBytes(uint32(1), byte(5)));
    const listed = new SshReader(new SshReader(identitiesAnswer([{ blob, comment: "laptop" }]), "It").string(), "It");
    assert.deepEqual([listed.byte(), listed.uint32(), listed.string(), listed.text(), listed.isAtEnd], [12, 1, blob, "laptop", true]);
    const signed = new SshReader(new SshReader(signatureAnswer(utf8("s")), "It").string(), "It");
    assert.deepEqual([signed.byte(), signed.text()], [14, "s"]);
    const known = new SshReader(new SshReader(queryAnswer(), "It").string(), "It");
    assert.deepEqual([known.byte(), known.text(), known.texts(9)], [29, "query", ["query", "session-bind@openssh.com"]]);
  });
});

suite("what a signature will be good for", () => {
  const blob = ed25519Blob(key.publicKey);
  const login = (method: string, ...more: readonly Uint8Array[]) => concatBytes(string("session"), byte(50), string("alice"), string("ssh-connection"), string(method), byte(1), string("ssh-ed25519"), string(blob), ...more);

  test("a login, with the host that the client binds it to if it does", () => {
    assert.deepEqual(purposeOf(login("publickey"), blob), { purpose: "login", session: utf8("session"), user: "alice" });
    assert.deepEqual(purposeOf(login("publickey-hostbound-v00@openssh.com", string("host")), blob), { purpose: "login", session: utf8("session"), user: "alice", hostKey: utf8("host") });
  });

  test("a document, with its namespace", () => {
    assert.deepEqual(purposeOf(concatBytes(utf8("SSHSIG"), string("git"), string(""), string("sha512"), string("digest")), blob), { purpose: "document", namespace: "git" });
  });

  test("anything else is unknown, a login with another key too", () => {
    for (const data of [new Uint8Array(0), utf8("SSHSIG"), login("publickey", byte(0)), login("password"), login("publickey").subarray(0, -1)]) assert.deepEqual(purposeOf(data, blob), { purpose: "unknown" });
    assert.deepEqual(purposeOf(login("publickey"), ed25519Blob(authority.publicKey)), { purpose: "unknown" });
  });
});

suite("our block in authorized_keys", () => {
  const own = "ssh-rsa AAAA bob@work\n";
  const lines = ["ssh-ed25519 AAAA laptop", "ssh-ed25519 BBBB phone"];

  test("a block is put after what is there, replaced in its place, and taken out again without a trace", () => {
    const first = withBlock(own, "alice", lines);
    assert.equal(first, `${own}# BEGIN mesh alice\n${lines.join("\n")}\n# END mesh alice\n`);
    const second = withBlock(`${first}# later\n`, "alice", lines.slice(1));
    assert.equal(second, `${own}# BEGIN mesh alice\n${lines[1]}\n# END mesh alice\n# later\n`);
    assert.equal(withBlock(second, "alice", []), `${own}# later\n`);
    assert.equal(withBlock(own, "alice", []), own);
  });

  test("not an octet outside the block changes, whatever is there", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", " ", "\n", "\r", "#", "ü") }), fc.array(fc.constantFrom(...lines)), (text, some) => {
      const there = withBlock(text, "alice", lines);
      assert.equal(there.slice(0, text.length), text);
      assert.deepEqual(readAuthorizedKeys(there, "alice").block, lines);
      const changed = withBlock(there, "alice", some);
      assert.equal(withBlock(changed, "alice", []), text === "" || text.endsWith("\n") ? text : some.length === 0 ? `${text}\n` : `${text}\n`);
      // The same once more changes nothing.
      assert.equal(withBlock(there, "alice", lines), there);
    }));
  });

  test("two people share an account", () => {
    const both = withBlock(withBlock("", "alice", lines.slice(0, 1)), "bob", lines.slice(1));
    assert.deepEqual(readAuthorizedKeys(both, "alice"), { block: lines.slice(0, 1), comments: [], others: lines.slice(1) });
    assert.deepEqual(readAuthorizedKeys(withBlock(both, "alice", []), "bob"), { block: lines.slice(1), comments: [], others: [] });
  });

  test("lines outside it that let somebody in are told", () => {
    assert.deepEqual(readAuthorizedKeys(withBlock(`${own}# a note\n\n`, "alice", lines), "alice").others, [own.trim()]);
  });

  test("a block that was taken apart is refused, and so is a file without bounds", () => {
    const whole = withBlock(own, "alice", lines);
    for (const bad of [whole.replace("# END mesh alice\n", ""), whole.replace("# BEGIN mesh alice\n", ""), whole + whole, "# END mesh alice\n# BEGIN mesh alice\n"]) {
      assert.throws(() => withBlock(bad, "alice", lines), { code: "ssh-block-damaged" });
    }
    assert.throws(() => readAuthorizedKeys("#".repeat(1024 * 1024 + 1), "alice"), { code: "ssh-file-too-large" });
    assert.throws(() => withBlock("", "alice", ["one\ntwo"]), TypeError);
  });
});
