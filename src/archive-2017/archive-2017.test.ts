import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import type { Json } from "../bytes/canonical-json.ts";
import { utf8 } from "../bytes/text.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { parseForeignUdf } from "../udf/foreign.ts";
import { judgeArchived } from "./judge.ts";
import { readKey, udf2017 } from "./key.ts";
import { membersOf, parseLenient } from "./lenient-json.ts";
import { isArchived, readArchived } from "./signed.ts";
import { makeKey, sign2017, stored, storedOf } from "./test-objects.ts";

const judge = (value: Json, ...given: readonly Json[]) => judgeArchived(readArchived(value), given.map(readArchived));
const bits = ({ signature, entitled }: { readonly signature: string; readonly entitled: string }) => [signature, entitled];

suite("fingerprints of 2017 (vectors/archive-2017/rsa-keys.json)", () => {
  for (const { kid, pkcs1_der_b64u } of readVectors<{ readonly keys: readonly { readonly kid: string; readonly pkcs1_der_b64u: string }[] }>("archive-2017/rsa-keys.json").keys) {
    test(kid, () => {
      assert.equal(udf2017(Uint8Array.fromBase64(pkcs1_der_b64u, { alphabet: "base64url" })), kid);
      assert.equal(parseForeignUdf(kid).bits, 150);
    });
  }
});

suite("stored objects of 2017 (vectors/archive-2017/signed-profiles.json)", () => {
  for (const [type, object] of stored) {
    test(`the signature of the ${type} is true, by whom it should be`, () => {
      const finding = judge(object, storedOf("PersonalProfile"));
      assert.equal(finding.type, type);
      // The Personal Profile stored before the SSH Profile does not list it yet.
      assert.deepEqual(bits(finding), ["true", type === "SSHProfile" ? "unknown" : "yes"], finding.because);
    });
  }

  test("a Personal Profile holds its Master Profile and its devices, each judged", () => {
    const { embedded } = judge(storedOf("PersonalProfile"));
    assert.deepEqual(embedded.map((one) => [one.type, ...bits(one)]), [["MasterProfile", "true", "yes"], ["DeviceProfile", "true", "yes"]]);
  });

  test("an Application Profile alone cannot be checked: the key of its device is elsewhere", () => {
    assert.deepEqual(bits(judge(storedOf("SSHProfile"))), ["unchecked", "unknown"]);
    assert.deepEqual(bits(judge(storedOf("SSHProfile"), storedOf("DeviceProfile"))), ["true", "unknown"]);
  });

  test("are read with and without their tags, and with line breaks in their texts", () => {
    const data = storedOf("MasterProfile");
    for (const value of [data, { Identifier: "x", SignedData: data }, { SignedMasterProfile: { Identifier: "x", SignedData: data } }]) {
      const broken = JSON.stringify(value).replaceAll(/"(?=[A-Za-z0-9_-]{64})/g, '"\n').replaceAll(/([A-Za-z0-9_-]{64})(?=[A-Za-z0-9_-])/g, "$1\n");
      assert.throws(() => JSON.parse(broken), SyntaxError);
      assert.deepEqual(bits(judge(parseLenient(utf8(broken)))), ["true", "yes"]);
    }
  });

  test("no octet of payload, header or signature can be changed", () => {
    for (const [, object] of stored) {
      const text = JSON.stringify(object);
      for (const part of ["payload", "protected", "signature"] as const) {
        const at = text.indexOf(`"${part}":"`) + part.length + 24;
        const changed = JSON.parse(`${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`) as Json;
        let verdict: string;
        try {
          verdict = judge(changed, storedOf("DeviceProfile")).signature;
        } catch (error) {
          assert(error instanceof MeshError);
          verdict = "false";
        }
        assert.equal(verdict, "false", part);
      }
    }
  });
});

suite("what 2017 would have let pass", () => {
  const [master, online, device, stranger] = [makeKey(), makeKey(), makeKey(), makeKey()];
  const masterProfile = (changes: object = {}, by = master) => sign2017("MasterProfile", { Identifier: master.udf, MasterSignatureKey: master.listed, OnlineSignatureKeys: [online.listed], ...changes }, [by]);
  const deviceProfile = (changes: object = {}) => sign2017("DeviceProfile", { Identifier: device.udf, DeviceSignatureKey: device.listed, ...changes }, [device]);
  const personal = (changes: object = {}, by = [online]) => sign2017("PersonalProfile", { Identifier: master.udf, SignedMasterProfile: { Identifier: master.udf, SignedData: masterProfile() }, Devices: [{ Identifier: device.udf, SignedData: deviceProfile() }], Applications: [], ...changes } as Json, by);

  test("the honest twins are true", () => {
    for (const object of [masterProfile(), deviceProfile(), personal(), personal({}, [online, online])]) assert.deepEqual(bits(judge(object)), ["true", "yes"]);
  });

  const cases: readonly (readonly [string, Json, readonly [string, string]])[] = [
    ["no signature at all", personal({}, []), ["false", "no"]],
    ["one true signature and one by a stranger", personal({}, [online, stranger]), ["unchecked", "no"]],
    ["a Personal Profile signed by the Master Signature Key", personal({}, [master]), ["unchecked", "no"]],
    ["a Personal Profile of another identifier than its Master Profile", personal({ Identifier: stranger.udf }), ["true", "no"]],
    ["a Master Profile of another identifier than its key", masterProfile({ Identifier: stranger.udf }), ["true", "no"]],
    ["a Device Profile of another identifier than its key", deviceProfile({ Identifier: stranger.udf }), ["true", "no"]],
    ["a Personal Profile around a Master Profile that another signed", personal({ SignedMasterProfile: { SignedData: masterProfile({}, stranger) } }), ["true", "no"]],
    ["another algorithm in the header", sign2017("DeviceProfile", { Identifier: device.udf, DeviceSignatureKey: device.listed }, [device], { alg: "RS256" }), ["false", "no"]],
    ["the digest of something else", sign2017("DeviceProfile", { Identifier: device.udf, DeviceSignatureKey: device.listed }, [device], { val: "AAAA" }), ["false", "no"]],
    ["a request of a device that did not sign it", sign2017("ConnectionRequest", { ParentUDF: master.udf, Device: { SignedData: deviceProfile() } }, [stranger]), ["unchecked", "no"]],
    ["a result that no administration key signed", sign2017("ConnectionResult", { Device: { SignedData: deviceProfile() }, Profile: { SignedPersonalProfile: { SignedData: personal() } } }, [device]), ["unchecked", "no"]],
  ];
  for (const [why, object, expected] of cases) test(`${why}: ${expected.join(", ")}`, () => assert.deepEqual(bits(judge(object)), expected));

  test("requests and results by whom they should be are true", () => {
    assert.deepEqual(bits(judge(sign2017("ConnectionRequest", { ParentUDF: master.udf, Device: { SignedData: deviceProfile() } }, [device]))), ["true", "yes"]);
    assert.deepEqual(bits(judge(sign2017("ConnectionResult", { Profile: { SignedPersonalProfile: { SignedData: personal() } } }, [online]))), ["true", "yes"]);
  });

  test("an application is its administrators' to sign", () => {
    const application = (by = device) => sign2017("SSHProfile", { Identifier: "RAAAA", Devices: [] }, [by]);
    const listing = (administrators: readonly string[]) => personal({ Applications: [{ Identifier: "RAAAA", AdminDeviceUDF: administrators }] });
    assert.deepEqual(bits(judge(application(), listing([device.udf]))), ["true", "yes"]);
    assert.deepEqual(bits(judge(application(), listing([]))), ["true", "no"]);
    assert.deepEqual(bits(judge(application(stranger), listing([device.udf]))), ["unchecked", "unknown"]);
    // A profile that is not its owner's says nothing of who may what.
    assert.deepEqual(bits(judge(application(), personal({ Applications: [{ Identifier: "RAAAA", AdminDeviceUDF: [device.udf] }] }, [stranger]))), ["unchecked", "unknown"]);
  });

  const refused: readonly (readonly [string, Json])[] = [
    ["a key under the fingerprint of another", deviceProfile({ DeviceSignatureKey: { ...membersOf(device.listed), UDF: stranger.udf } })],
    ["a key that is not RSA", deviceProfile({ DeviceSignatureKey: { UDF: device.udf, PublicParameters: { PublicKeyDH: {} } } })],
    ["a Personal Profile in the place of the Master Profile", personal({ SignedMasterProfile: { SignedData: personal() } })],
    ["a Personal Profile without Master Profile", sign2017("PersonalProfile", { Identifier: master.udf }, [online])],
    ["300 devices", personal({ Devices: Array.from({ length: 300 }, () => ({})) })],
    ["9 signatures", personal({}, Array.from({ length: 9 }, () => online))],
    ["two tags at once", { ...membersOf(storedOf("MasterProfile")), payload: "e30" }],
  ];
  for (const [why, object] of refused) test(`refused: ${why}`, () => assert.throws(() => judge(object), { code: "archive-malformed" }));

  test("refused: a key of 1,024 bits", () => {
    const weak = makeKey(1024);
    assert.throws(() => readKey(weak.listed), { code: "key-malformed" });
  });
});

test("whatever JSON comes, it is refused with a code or judged, and never breaks", () => {
  const good = storedOf("PersonalProfile");
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("payload", "signatures", "SignedData"), (value, member) => {
      for (const object of [value, { payload: value, signatures: [value] }, { ...membersOf(good), [member]: value }, sign2017("DeviceProfile", { DeviceSignatureKey: value, Identifier: value } as Json, []), sign2017("PersonalProfile", value as Json, [])] as Json[]) {
        try {
          if (isArchived(object)) judge(object);
        } catch (error) {
          assert(error instanceof MeshError, String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});
