import { generateEd25519 } from "../../src/crypto/ed25519.ts";
import { generateDecapsulationKey, generateSigningKey, type SigningKey } from "../../src/crypto/key-pair.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { sign } from "../../src/crypto/sign.ts";
import { decapsulatorWith } from "../../src/envelope/sealed.ts";
import { signObject, type Signer, type Verified } from "../../src/envelope/signed.ts";
import type { Portal } from "../../src/portal/portal.ts";
import { account as accountType } from "../../src/profiles/account.ts";
import { baseKeyOf, deviceProfile } from "../../src/profiles/device.ts";
import { encapsulationJwk, encapsulationKey, signatureJwk } from "../../src/profiles/keys.ts";
import { masterProfile } from "../../src/profiles/master.ts";
import { type PersonalProfile, personalProfile } from "../../src/profiles/personal.ts";
import type { PortalProfile } from "../../src/profiles/portal.ts";
import { createAccount } from "../../src/protocol/accounts.ts";
import type { Command } from "../../src/protocol/command.ts";
import { openSession } from "../../src/protocol/open-session.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { confirmSession, proposeSession, type Session } from "../../src/protocol/session.ts";
import { decodeResponse, encodeRequest, SERVICE_PATH } from "../../src/protocol/wire.ts";
import { type Udf, udfOf, udfOfKey } from "../../src/udf/udf.ts";

/** A person with one device: what the next Personal Profile follows, who signs it, and the session in which it is sent. */
export type Account = { last: Verified<PersonalProfile>; readonly key: Uint8Array; readonly administrator: Signer; readonly session: Session };

const APPLICATIONS = 3;

/** Makes a person's keys and first profiles, all of its own, creates the account, and opens a session. */
export async function makeAccount(portal: Pick<Portal, "handle">, profile: PortalProfile, address: string): Promise<Account> {
  const [master, recovery, device, administration] = [generateSigningKey(), generateSigningKey(), generateSigningKey(), generateSigningKey()];
  const [authentication, encryption, sealed, escrow] = [generateDecapsulationKey(), generateDecapsulationKey(), generateDecapsulationKey(), generateDecapsulationKey()];
  const [id, deviceId] = [udfOfKey<"master">(master.publicKey.spki), udfOfKey<"device">(device.publicKey.spki)];
  const administrator = signerWith(administration);
  const deviceObject = await signObject(
    deviceProfile,
    {
      authenticationKey: encapsulationJwk(authentication.publicKey),
      baseKeys: [baseKeyOf(deviceId, "ssh", generateEd25519()), baseKeyOf(deviceId, "ssh-authority", generateEd25519())],
      encryptionKey: encapsulationJwk(encryption.publicKey),
      id: deviceId,
      signatureKey: signatureJwk(device.publicKey),
      v: 1,
      version: 1,
    },
    signerWith(device),
  );
  const listed = { device: deviceId, encryptionKey: encapsulationJwk(sealed.publicKey), signatureKey: signatureJwk(administration.publicKey) };
  const masterObject = await signObject(
    masterProfile,
    { administrationKeys: [listed], escrowKeys: [encapsulationJwk(escrow.publicKey)], id, recoveryKey: signatureJwk(recovery.publicKey), signatureKey: signatureJwk(master.publicKey), v: 1, version: 1 },
    signerWith(master),
  );
  const mine = { administrators: [deviceId], editors: [deviceId], readers: [deviceId] };
  const applications = Array.from({ length: APPLICATIONS }, () => ({ ...mine, id: udfOf<"application">("application/mmm-application", randomBytes(32)) }));
  const personal = await signObject(
    personalProfile,
    { applications, devices: [{ digest: deviceObject.digest, id: deviceId, role: "admin", status: "active" }], g: 1, heads: [], home: profile.id, id, master: masterObject.digest, n: 1, suspensions: [], v: 1 },
    administrator,
  );
  const account = await signObject(accountType, { address, master: id, portal: profile.id, status: "open", v: 1, version: 1 }, administrator);
  await ask(portal, createAccount, { account: account.jws, parts: [{ kind: "master", object: masterObject.jws }, { kind: "device", object: deviceObject.jws }, { kind: "personal", object: personal.jws }] });
  const member = { device: deviceId, master: id };
  const { request, secret } = await proposeSession(encapsulationKey(profile.sessionKey), member);
  const answer = await ask(portal, openSession, request);
  return { last: personal, key: administration.publicKey.raw, administrator, session: await confirmSession(profile.id, member, decapsulatorWith(authentication), request, secret, answer) };
}

/** The body of a request that publishes the account's next Personal Profile. */
export async function nextUpdate(account: Account): Promise<Uint8Array> {
  const { payload, digest } = account.last;
  account.last = await signObject(personalProfile, { ...payload, n: payload.n + 1, previous: digest }, account.administrator);
  return encodeRequest(publish, { parts: [{ kind: "personal", object: account.last.jws }] });
}

function signerWith(key: SigningKey): Signer {
  return { kid: udfOfKey(key.publicKey.spki) as Udf<"signature-key">, sign: (message) => sign(key, message) };
}

async function ask<Q, A>(portal: Pick<Portal, "handle">, command: Command<Q, A>, request: Q): Promise<A> {
  const answer = await portal.handle({ method: "POST", path: SERVICE_PATH, query: "", headers: {}, body: encodeRequest(command, request), remote: "127.0.0.1" });
  return decodeResponse(command, answer.body);
}
