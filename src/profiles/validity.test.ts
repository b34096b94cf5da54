import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { type Authority, authorityOf, type Chain, nextCommit } from "../catalogs/chain.ts";
import { commit, type EntriesCommit } from "../catalogs/commits.ts";
import { generateDecapsulationKey, generateSigningKey } from "../crypto/key-pair.ts";
import { readSigned, signObject, type Signer, verifySigned } from "../envelope/signed.ts";
import type { Code } from "../refusals/codes.ts";
import { type Udf, udfOf } from "../udf/udf.ts";
import { type Account, account } from "./account.ts";
import { type ApplicationProfile, applicationProfile } from "./application.ts";
import { connectionAnswer, pinNotice } from "./connection.ts";
import { deviceProfile } from "./device.ts";
import { encapsulationJwk, signatureJwk, verifyingKey } from "./keys.ts";
import { masterProfile } from "./master.ts";
import { checkNewSuspension, masterOf, type Mesh, personalOf, suspendedIn, withMaster, withSuspension } from "./mesh.ts";
import { personalProfile } from "./personal.ts";
import { portalProfile } from "./portal.ts";
import { rosterOf } from "./roster.ts";
import { suspension } from "./suspension.ts";
import { addMaster, addPersonal, addSuspension, applicationOf, beginMesh, devicesWith, HOME, makeDevice, makePerson, nextMaster, nextPersonal, outcome, signerWith, SOME_DIGEST, someId, suspensionOf, type TestDevice } from "./test-mesh.ts";
import { correctAccount, correctAnswer, correctApplication, correctDevice, correctPersonal, correctPinNotice, correctPortal, verifyByDevice, verifyDevice, verifyPersonal } from "./validity.ts";

/*
 * One mesh, in which somebody of every kind has a key:
 *
 *   g = 1: attic, laptop and tower are administration devices; phone, tablet, lost and radio are members.
 *   (2, 1): the Master key took attic's key away.      (2, 2): lost is disabled.
 *   then laptop suspended tower, an administration device below it, and tablet, a member.      (2, 3): all that is judged.
 */
const actors = ["master", "recovery", "laptop/admin", "laptop", "tower/admin", "tower", "attic/admin", "attic", "phone", "phone/admin", "tablet", "lost", "radio", "stranger", "stranger/admin", "bob/master", "bob/admin", "bob", "portal"] as const;
type Actor = (typeof actors)[number];

type Row = { readonly right: readonly Actor[]; readonly others: Code; readonly except?: Partial<Readonly<Record<Actor, Code>>>; readonly judge: (signer: Signer) => Promise<unknown> };

const NOW = 1000;
const portalKey = generateSigningKey();
const CATALOG = someId();
const [attic, laptop, tower, phone, tablet, lost, radio, stranger, bobs] = (await Promise.all(Array.from({ length: 9 }, makeDevice))) as [TestDevice, TestDevice, TestDevice, TestDevice, TestDevice, TestDevice, TestDevice, TestDevice, TestDevice];
const [alice, bob] = [makePerson([attic, laptop, tower]), makePerson([bobs])];
const signers: Readonly<Record<Actor, Signer>> = {
  master: alice.master,
  recovery: alice.recovery,
  "laptop/admin": laptop.administration,
  laptop: laptop.device,
  "tower/admin": tower.administration,
  tower: tower.device,
  "attic/admin": attic.administration,
  attic: attic.device,
  phone: phone.device,
  "phone/admin": phone.administration,
  tablet: tablet.device,
  lost: lost.device,
  radio: radio.device,
  stranger: stranger.device,
  "stranger/admin": stranger.administration,
  "bob/master": bob.master,
  "bob/admin": bobs.administration,
  bob: bobs.device,
  portal: signerWith(portalKey),
};

const readable = (devices: readonly TestDevice[], administrators: number) => {
  const entry = applicationOf(CATALOG, devices, administrators);
  return [{ ...entry, readers: [...entry.readers, radio.id] }];
};

let first: Mesh, second: Mesh, third: Mesh, mesh: Mesh, authority: Authority;
before(async () => {
  first = await beginMesh(alice, [attic, laptop, tower], [phone, tablet, lost, radio], readable([attic, laptop, tower, phone, tablet, lost], 3));
  second = await addMaster(first, nextMaster(first, { administrationKeys: [laptop.listed, tower.listed] }), alice.master);
  second = await addPersonal(second, nextPersonal(second, { applications: readable([laptop, tower, phone, tablet, lost], 2), devices: devicesWith(second, attic.id, { status: "disabled" }) }), laptop.administration);
  third = await addPersonal(second, nextPersonal(second, { applications: readable([laptop, tower, phone, tablet], 2), devices: devicesWith(second, lost.id, { status: "disabled" }) }), laptop.administration);
  const one = await addSuspension(third, tower.id, laptop.administration);
  third = await addSuspension(one, tablet.id, laptop.administration);
  mesh = await addPersonal(third, nextPersonal(third), laptop.administration);
  authority = authorityOf(mesh, NOW);
});

const suspended = () => suspendedIn(mesh, NOW);
const deviceOf = (signer: Signer) => mesh.devices.get(signer.kid) ?? mesh.devices.get(laptop.id) ?? assert.fail();
const accountPayload = (): Account => ({ address: "alice@example.com", master: alice.id, portal: HOME, status: "open", v: 1, version: 1 });
const place = () => ({ g: personalOf(mesh).payload.g, n: personalOf(mesh).payload.n });
const application = (): ApplicationProfile => ({ ...place(), epoch: 1, id: CATALOG, sealed: { ciphertext: "", salt: "A".repeat(43) }, v: 1, version: 1 });
const answer = () => ({ ...place(), device: stranger.id, heads: [], master: alice.id, masterDigest: masterOf(mesh).digest, personal: personalOf(mesh).digest, result: "accepted" as const, role: "member" as const, v: 1 as const, witness: udfOf<"witness">("application/mmm-witness", new Uint8Array(1)) });
const chain = (): Chain => ({ catalog: CATALOG, digest: SOME_DIGEST, epoch: 1, epochVersion: place(), holders: [laptop.id, tower.id, phone.id, tablet.id, radio.id], index: 1, version: place() });
const entries = (): EntriesCommit => ({ ...place(), catalog: CATALOG, digest: SOME_DIGEST, epoch: 1, index: 2, kind: "entries", previous: SOME_DIGEST, salt: "A".repeat(43), size: 1, v: 1 });

const table: Readonly<Record<string, Row>> = {
  "Master Profile (draft §5.4: the Master Signature Key specified in it)": {
    right: ["master"],
    others: "signature-wrong-key",
    judge: async (by) => withMaster(mesh, await signObject(masterProfile, nextMaster(mesh, {}), by)),
  },
  "Personal Profile (draft §5.4: an Administration Key of the Master Profile it names)": {
    right: ["laptop/admin"],
    others: "profile-wrong-signer",
    except: { "tower/admin": "signer-suspended" },
    judge: (by) => addPersonal(mesh, nextPersonal(mesh), by),
  },
  "Personal Profile of the version at which tower was suspended: that one still counts (decision 4.5)": {
    right: ["laptop/admin", "tower/admin"],
    others: "profile-wrong-signer",
    judge: async (by) => {
      const signed = await signObject(personalProfile, nextPersonal(second, { devices: devicesWith(second, lost.id, { status: "disabled" }), applications: readable([laptop], 1) }), by);
      return correctPersonal(await verifyPersonal(signed, rosterOf(masterOf(mesh))), rosterOf(masterOf(mesh)), personalOf(second), suspended());
    },
  },
  "Personal Profile under the Master Profile of g = 1, which still listed attic": {
    right: ["attic/admin", "laptop/admin", "tower/admin"],
    others: "profile-wrong-signer",
    judge: (by) => addPersonal(first, nextPersonal(first), by),
  },
  "Device Profile (draft §5.4: the Device Signature Key specified in it)": {
    right: ["stranger"],
    others: "signature-wrong-key",
    judge: async (by) => verifyDevice(await signObject(deviceProfile, stranger.profile.payload, by)),
  },
  "Application Profile (draft §5.4: an administrator of it in the Personal Profile)": {
    right: ["laptop"],
    others: "profile-wrong-signer",
    except: { tower: "signer-suspended" },
    judge: async (by) => correctApplication(await signObject(applicationProfile, application(), by), personalOf(mesh), deviceOf(by), undefined, rosterOf(masterOf(mesh)), suspended()),
  },
  "account (decision 8.3: an Administration Key)": {
    right: ["laptop/admin"],
    others: "profile-wrong-signer",
    except: { "tower/admin": "signer-suspended" },
    judge: async (by) => correctAccount(await signObject(account, accountPayload(), by), rosterOf(masterOf(mesh)), undefined, suspended()),
  },
  "Portal Profile (decision 3.5: the identity key specified in it)": {
    right: ["portal"],
    others: "signature-wrong-key",
    judge: async (by) => {
      const session = encapsulationJwk(generateDecapsulationKey().publicKey);
      const payload = { domains: ["example.com"], id: signers.portal.kid as string as Udf<"portal">, identityKey: signatureJwk(portalKey.publicKey), logKeys: [], sessionKey: session, tlsKeys: [HOME as string as Udf<"tls-key">], v: 1 as const, version: 1 };
      return correctPortal(await signObject(portalProfile, payload, by), signers.portal.kid);
    },
  },
  "suspension of a device (decision 4.5: Recovery, Master, an Administration Key, a device listed as active)": {
    right: ["recovery", "master", "laptop/admin", "laptop", "phone", "radio"],
    others: "profile-wrong-signer",
    except: { "tower/admin": "signer-suspended", tower: "signer-suspended", tablet: "signer-suspended" },
    judge: async (by) => {
      const signed = await signObject(suspension, suspensionOf(mesh, phone.id), by);
      checkNewSuspension(mesh, signed, NOW);
      return withSuspension(mesh, signed, NOW);
    },
  },
  "answer to a connection request (decision 5.2: an Administration Key)": {
    right: ["laptop/admin"],
    others: "profile-wrong-signer",
    except: { "tower/admin": "signer-suspended" },
    judge: async (by) => correctAnswer(await signObject(connectionAnswer, answer(), by), rosterOf(masterOf(mesh)), suspended()),
  },
  "notice of a PIN (decision 5.3: an Administration Key)": {
    right: ["laptop/admin"],
    others: "profile-wrong-signer",
    except: { "tower/admin": "signer-suspended" },
    judge: async (by) => correctPinNotice(await signObject(pinNotice, { expires: 1, master: alice.id, pin: "ABCDE", status: "open", v: 1 }, by), rosterOf(masterOf(mesh)), suspended()),
  },
  "entries of a catalog (decision 6.1: an editor in the version that the commit names)": {
    right: ["laptop", "phone"],
    others: "commit-wrong-author",
    except: { tower: "signer-suspended", tablet: "signer-suspended" },
    judge: async (by) => nextCommit(chain(), await signObject(commit, entries(), by), authority),
  },
  "anything of one device (the Device Signature Key)": {
    right: ["phone"],
    others: "profile-wrong-signer",
    judge: async (by) => verifyByDevice(await signObject(deviceProfile, phone.profile.payload, by), mesh.devices.get(phone.id) ?? assert.fail()),
  },
};

for (const [object, { right, others, except, judge }] of Object.entries(table)) {
  suite(`who signs: ${object}`, () => {
    for (const actor of actors) {
      const expected = right.includes(actor) ? "ok" : (except?.[actor] ?? others);
      test(`${actor}: ${expected}`, async () => assert.equal(await outcome(() => judge(signers[actor])), expected));
    }
  });
}

suite("who signs: what a signer cannot help by", () => {
  test("putting a key of his own into the profile: its identifier no longer fits (draft §5.4)", async () => {
    const mine = generateSigningKey();
    const forged = nextMaster(mesh, { signatureKey: signatureJwk(mine.publicKey) });
    assert.equal(await outcome(async () => withMaster(mesh, await signObject(masterProfile, forged, signerWith(mine)))), "profile-wrong-id");
    const device = { ...stranger.profile.payload, signatureKey: signatureJwk(mine.publicKey) };
    assert.equal(await outcome(async () => verifyDevice(await signObject(deviceProfile, device, signerWith(mine)))), "profile-wrong-id");
  });

  test("signing a whole Master Profile of his own: it is another person's", async () => {
    assert.equal(await outcome(async () => withMaster(mesh, await signObject(masterProfile, { ...bob.first, previous: masterOf(mesh).digest, version: 3 }, bob.master))), "profile-wrong-id");
  });

  test("naming the right key and signing with another: the signature is false", async () => {
    const liar: Signer = { kid: laptop.administration.kid, sign: (message) => bobs.administration.sign(message) };
    assert.equal(await outcome(() => addPersonal(mesh, nextPersonal(mesh), liar)), "signature-invalid");
    const signed = await signObject(masterProfile, nextMaster(mesh, {}), { kid: alice.master.kid, sign: (message) => bob.master.sign(message) });
    assert.equal(await outcome(() => withMaster(mesh, signed)), "signature-invalid");
  });

  test("a device that is not listed, or with another profile, is not connected (draft §5)", async () => {
    assert.equal(await outcome(() => correctDevice(stranger.profile, personalOf(mesh))), "profile-not-connected");
    const other = await verifyDevice(await signObject(deviceProfile, { ...phone.profile.payload, version: 2 }, phone.device));
    assert.equal(await outcome(() => correctDevice(other, personalOf(mesh))), "profile-not-connected");
    assert.equal(await outcome(() => correctDevice(phone.profile, personalOf(mesh))), "ok");
  });

  test("a portal that shows the profile of another portal than the one pinned", async () => {
    const session = encapsulationJwk(generateDecapsulationKey().publicKey);
    const own = { domains: ["example.com"], id: signers.portal.kid as string as Udf<"portal">, identityKey: signatureJwk(portalKey.publicKey), logKeys: [], sessionKey: session, tlsKeys: [HOME as string as Udf<"tls-key">], v: 1 as const, version: 1 };
    const signed = await signObject(portalProfile, own, signers.portal);
    assert.equal(await outcome(() => correctPortal(signed, HOME)), "portal-wrong-identity");
    assert.equal(await outcome(() => correctPortal(signed, undefined)), "ok");
  });

  test("an account, answer or PIN notice of another person's mesh, or of another Master Profile", async () => {
    const by = laptop.administration;
    assert.equal(await outcome(async () => correctAccount(await signObject(account, { ...accountPayload(), master: bob.id }, by), rosterOf(masterOf(mesh)), undefined)), "profile-wrong-id");
    assert.equal(await outcome(async () => correctAnswer(await signObject(connectionAnswer, { ...answer(), master: bob.id }, by), rosterOf(masterOf(mesh)), suspended())), "profile-wrong-id");
    assert.equal(await outcome(async () => correctAnswer(await signObject(connectionAnswer, { ...answer(), g: 1 }, by), rosterOf(masterOf(mesh)), suspended())), "profile-out-of-order");
    assert.equal(await outcome(async () => correctPinNotice(await signObject(pinNotice, { expires: 1, master: bob.id, pin: "ABCDE", status: "open", v: 1 }, by), rosterOf(masterOf(mesh)), suspended())), "profile-wrong-id");
  });

  test("an account record follows the one before it", async () => {
    const one = await correctAccount(await signObject(account, accountPayload(), laptop.administration), rosterOf(masterOf(mesh)), undefined);
    const next = { ...accountPayload(), previous: one.digest, version: 2 };
    const judged = (payload: Account) => outcome(async () => correctAccount(await signObject(account, payload, laptop.administration), rosterOf(masterOf(mesh)), one));
    assert.equal(await judged(next), "ok");
    assert.equal(await judged({ ...next, version: 3 }), "profile-out-of-order");
    assert.equal(await judged({ ...next, previous: SOME_DIGEST }), "profile-out-of-order");
    assert.equal(await judged(accountPayload()), "profile-out-of-order");
  });

  test("an Application Profile is judged by the version that it cites, and follows the one before it", async () => {
    const judged = async (changes: Partial<ApplicationProfile>, by = laptop, previous?: Awaited<ReturnType<typeof correctApplication>>, personal = personalOf(mesh)) =>
      outcome(async () => correctApplication(await signObject(applicationProfile, { ...application(), ...changes }, by.device), personal, deviceOf(by.device), previous, rosterOf(masterOf(mesh)), suspended()));
    assert.equal(await judged({ n: 2 }), "profile-out-of-order");
    assert.equal(await judged({ id: someId() }), "profile-wrong-signer");
    // Cited and current are told apart: attic administered it in (1, 1), and tower in (2, 2) before it was suspended.
    assert.equal(await judged({ g: 1, n: 1 }, attic, undefined, personalOf(first)), "ok");
    assert.equal(await judged({ g: 2, n: 2 }, tower, undefined, personalOf(third)), "ok");
    const one = await correctApplication(await signObject(applicationProfile, application(), laptop.device), personalOf(mesh), deviceOf(laptop.device), undefined, rosterOf(masterOf(mesh)), suspended());
    assert.equal(await judged({ version: 2, previous: one.digest }, laptop, one), "ok");
    for (const changes of [{ version: 3, previous: one.digest }, { version: 2 }, { version: 2, previous: SOME_DIGEST }, {}]) assert.equal(await judged(changes, laptop, one), "profile-out-of-order");
  });

  test("what was read again from its own text is judged the same", async () => {
    const signed = await signObject(personalProfile, nextPersonal(mesh), laptop.administration);
    const again = readSigned(JSON.parse(JSON.stringify(signed.jws)), personalProfile);
    assert.equal(again.digest, signed.digest);
    await verifySigned(again, verifyingKey(laptop.listed.signatureKey));
  });
});
