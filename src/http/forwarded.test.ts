import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { assert as hold, constantFrom, property, string } from "fast-check";
import { behindProxies } from "./forwarded.ts";

const who = behindProxies(["127.0.0.1", "::1", "10.1.0.0/16", "2001:db8:1::/48"]) ?? assert.fail();
const by = (value: string, peer = "127.0.0.1"): string => who(peer, { "x-forwarded-for": value });
const standard = (value: string, peer = "127.0.0.1"): string => who(peer, { forwarded: value });

suite("who asks, behind proxies", () => {
  test("whoever is no named proxy is himself, whatever he says of others", () => {
    for (const peer of ["192.0.2.9", "10.2.0.1", "2001:db8:2::1"]) assert.equal(by("198.51.100.1", peer), peer);
  });
  test("a named proxy's word counts: the last that is no proxy; what the caller wrote before it does not", () => {
    assert.equal(by("198.51.100.1"), "198.51.100.1");
    assert.equal(by("198.51.100.1, 10.1.2.3"), "198.51.100.1");
    assert.equal(by("127.0.0.1, 203.0.113.5, 198.51.100.1", "10.1.9.9"), "198.51.100.1");
    assert.equal(by("2001:db8:5::1", "::1"), "2001:db8:5::1");
    assert.equal(by("[2001:db8:5::1]:4711"), "2001:db8:5::1");
    assert.equal(by("198.51.100.1:4711"), "198.51.100.1");
    assert.equal(by("::ffff:198.51.100.1"), "198.51.100.1");
  });
  test("Forwarded says the same in its own form", () => {
    assert.equal(standard("for=198.51.100.1;proto=https;by=10.1.0.1"), "198.51.100.1");
    assert.equal(standard('For="[2001:db8:5::1]:4711"'), "2001:db8:5::1");
    assert.equal(standard('for=127.0.0.1, for="198.51.100.1:80";host="a,b"'), "198.51.100.1");
  });
  test("who says nothing, two things, or nothing that can be read is nobody known, and nobody is local", () => {
    assert.equal(who("127.0.0.1", {}), "unknown");
    assert.equal(who("127.0.0.1", { "x-forwarded-for": "198.51.100.1", forwarded: "for=198.51.100.1" }), "unknown");
    for (const value of ["", "unknown", "198.51.100", "127.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1%eth0", "198.51.100.1, nonsense", "198.51.100.1,,10.1.0.1"]) assert.equal(by(value), "unknown", value);
    for (const value of ["", "by=10.1.0.1", "for=_hidden", "for=unknown", 'for="', "for=127.0.0.1"]) assert.equal(standard(value), "unknown", value);
  });
  test("no text makes it throw, or say an address of this machine", () => {
    hold(property(string({ unit: constantFrom(..."127.0:[]\"\\;,=for abc "), maxLength: 60 }), (text) => {
      for (const said of [by(text), standard(text)]) assert.ok(!said.startsWith("127.") && said !== "::1");
    }));
  });
  test("names and malformed networks are no addresses of proxies", () => {
    for (const text of ["proxy.example.com", "10.0.0.0/33", "10.0.0.0/", "::/129", "", "10.0.0.1/x"]) assert.equal(behindProxies([text]), undefined, text);
  });
});
