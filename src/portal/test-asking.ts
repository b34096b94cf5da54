import { parseJson } from "../bytes/json.ts";
import { utf8 } from "../bytes/text.ts";
import { decapsulatorOf } from "../client/client.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import type { Command } from "../protocol/command.ts";
import { openSession } from "../protocol/open-session.ts";
import { confirmSession, type Member, proposeSession, requestMac, type Session } from "../protocol/session.ts";
import { splitOctets } from "../protocol/octets.ts";
import { COUNTER_HEADER, decodeResponse, encodeRequest, MAC_HEADER, SERVICE_PATH, SESSION_HEADER } from "../protocol/wire.ts";
import type { TestDevice, TestPortal } from "../../test/support/world.ts";
import { whoIs } from "../../test/adversary/household.ts";
import { identityOf } from "./test-identity.ts";

/** How a request ended: `ok`, or the code of its refusal. */
export type Ended = { readonly status: number; readonly code: string; readonly body: Uint8Array };

function endOf(status: number, body: Uint8Array): Ended {
  const value = parseJson(splitOctets(body).text, { maxBytes: 8 << 20 }) as { error?: { code: string } };
  return { status, code: value.error?.code ?? "ok", body };
}

/** Sends octets without a session. */
export async function post(portal: TestPortal, body: Uint8Array | string, remote = "198.51.100.7", headers: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const answer = await portal.portal.handle({ method: "POST", path: SERVICE_PATH, query: "", headers, body: typeof body === "string" ? utf8(body) : body, remote });
  return endOf(answer.status, answer.body);
}

/** Asks without a session. */
export function askAs<Q>(portal: TestPortal, command: Command<Q, unknown>, request: Q, remote?: string): Promise<Ended> {
  return post(portal, encoded(command, request), remote);
}

/** What requests carry that carry octets, unless a test says otherwise. */
export const sampleOctets = utf8("octets, and a 0x00 among them: \0.");

function encoded<Q>(command: Command<Q, unknown>, request: Q, octets = sampleOctets): Uint8Array {
  return encodeRequest(command, request, command.carries === "request" ? octets : undefined);
}

/** A session of a device, every part of whose requests a test may choose. */
export type Asking = { readonly session: Session; readonly member: Member; send(counter: number, body: Uint8Array, mac?: string): Promise<Ended>; ask<Q>(command: Command<Q, unknown>, request: Q, counter?: number, octets?: Uint8Array): Promise<Ended> };

/** Opens a session as a device, in its mesh or in another that it names. */
export async function openAs(device: TestDevice, portal: TestPortal = device.portal, master?: string): Promise<Asking> {
  const self = await whoIs(device);
  const member = { device: self.device, master: (master ?? self.master) as Member["master"] };
  const { profile } = identityOf(portal);
  const { request, secret } = await proposeSession(encapsulationKey(profile.sessionKey), member);
  const answer = await portal.portal.handle({ method: "POST", path: SERVICE_PATH, query: "", headers: {}, body: encodeRequest(openSession, request), remote: "198.51.100.7" });
  const session = await confirmSession(profile.id, member, decapsulatorOf(device.keyring, self.authenticationKey), request, secret, decodeResponse(openSession, answer.body));
  let next = 1;
  const send: Asking["send"] = async (counter, body, mac) => {
    const good = requestMac(session, { portal: portal.pin, method: "POST", path: SERVICE_PATH, query: "", counter, body });
    return post(portal, body, "198.51.100.7", { [SESSION_HEADER]: session.id, [COUNTER_HEADER]: String(counter), [MAC_HEADER]: mac ?? good });
  };
  return { session, member, send, ask: (command, request, counter, octets) => send(counter ?? next++, encoded(command, request, octets)) };
}
