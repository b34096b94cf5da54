import { readSigned, signedBytes, verifySigned } from "../../envelope/signed.ts";
import { connectionAnswer, connectionRequest } from "../../profiles/connection.ts";
import { deviceProfile } from "../../profiles/device.ts";
import { deviceEntry } from "../../profiles/personal.ts";
import { verifyingKey } from "../../profiles/keys.ts";
import { correctAnswer, verifyDevice } from "../../profiles/validity.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { connectComplete, connectPending, connectStart, connectStatus } from "../../protocol/connections.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Reading } from "../../store/store.ts";
import { type Context, memberOf, type Plan, suspendedNow } from "../context.ts";
import { MAX_PENDING, REQUEST_MS } from "../limits.ts";
import { sealedOf } from "../logged.ts";
import { getObject, type PinRecord, putObject, putRow, row, shelf } from "../records.ts";
import { forgetExpired, isLive, type RequestRecord, unansweredOf } from "../requests.ts";
import { checkRevision } from "./accounts.ts";
import { planParts } from "./profiles.ts";

/** ConnectStart: keeps a request for the account's administration devices; strangers can fill their own queue only (decision 5.2). */
export async function decideConnectStart(context: Context, request: RequestOf<typeof connectStart>): Promise<Plan<ResponseOf<typeof connectStart>>> {
  const { now } = context;
  const signed = readSigned(request.request, connectionRequest);
  const { master, witness, kind, pin } = signed.payload;
  demand((await context.view(master)) !== undefined, "account-unknown", "There is no such mesh here.");
  const claimed = readSigned(signed.payload.device, deviceProfile);
  demand(signed.kid === (claimed.payload.id as string), "profile-wrong-id", "A connection request is signed by the device that it is about.");
  const record: RequestRecord = { arrived: now, device: claimed.payload.id, digest: signed.digest, kind };
  const expires = now + REQUEST_MS;
  const check = async (r: Reading): Promise<RequestRecord | undefined> => {
    const known = await row<RequestRecord>(r, shelf.requests, `${master}/${witness}`);
    if (known !== undefined && isLive(known, now)) {
      demand(known.device === record.device, "connection-rejected", "This witness belongs to another device.");
      return known;
    }
    const open = pin === undefined ? undefined : await row<PinRecord>(r, shelf.pins, `${master}/${pin}`);
    demand(kind === "words" || (open?.status === "open" && open.expires > now), "connection-pin-unknown", "There is no such PIN, or it was used, or it expired.");
    const waiting = (await unansweredOf(r, master, now)).filter((one) => one.record.kind === kind);
    demand(waiting.length < MAX_PENDING, "connection-too-many", "Too many requests wait at this account.", "Clear them with `mesh device reject --all` on an administration device, or join by PIN.");
    return undefined;
  };
  // What costs nothing to refuse is refused before any signature is verified (decision 8.4).
  const known = await context.read(check);
  if (known !== undefined) return { response: { arrived: known.arrived, expires: known.arrived + REQUEST_MS } };
  const device = await verifyDevice(claimed);
  await verifySigned(signed, verifyingKey(device.payload.signatureKey));
  return {
    response: { arrived: now, expires },
    logged: { recordings: [sealedOf(master, "connect", { request: signed.digest, witness })] },
    write: async (w) => {
      // Answered then as what is here already, and logged once.
      demand((await check(w)) === undefined, "account-changed", "This request came twice at once.");
      await forgetExpired(w, master, now);
      await w.put(shelf.objects, signed.digest, signedBytes(signed));
      await putObject(w, device);
      await putRow(w, shelf.requests, `${master}/${witness}`, record);
      await putRow(w, shelf.requesters, `${master}/${device.payload.id}`, { device: device.digest });
    },
  };
}

/** ConnectStatus: a requester's own answer; a device already admitted asks for the same. */
export async function decideConnectStatus(context: Context, request: RequestOf<typeof connectStatus>): Promise<Plan<ResponseOf<typeof connectStatus>>> {
  const { asker, now } = context;
  demand(asker.kind !== "anyone", "connection-unknown", "There is no such request.");
  const master = asker.kind === "member" ? asker.view.id : asker.master;
  return context.read(async (r) => {
    const record = await row<RequestRecord>(r, shelf.requests, `${master}/${request.witness}`);
    demand(record !== undefined && record.device === asker.device && isLive(record, now), "connection-unknown", "There is no such request any more.");
    if (record.answer === undefined) return { response: { state: "pending" } };
    return { response: { state: "answered", answer: (await getObject(r, record.answer, connectionAnswer)).jws } };
  });
}

/** ConnectPending: what waits for an answer. */
export async function decideConnectPending(context: Context, _request: RequestOf<typeof connectPending>): Promise<Plan<ResponseOf<typeof connectPending>>> {
  const { view } = memberOf(context);
  return context.read(async (r) => {
    const waiting = await unansweredOf(r, view.id, context.now);
    const requests = await Promise.all(waiting.map(async ({ record }) => ({ arrived: record.arrived, request: (await getObject(r, record.digest, connectionRequest)).jws })));
    return { response: { requests } };
  });
}

/** ConnectComplete: the signed answer and all that makes it true, in one transaction (decision 5.4). */
export async function decideConnectComplete(context: Context, request: RequestOf<typeof connectComplete>): Promise<Plan<ResponseOf<typeof connectComplete>>> {
  const { view } = memberOf(context);
  const signed = readSigned(request.answer, connectionAnswer);
  const key = `${view.id}/${signed.payload.witness}`;
  const record = await context.read((r) => row<RequestRecord>(r, shelf.requests, key));
  demand(record !== undefined && record.device === signed.payload.device && isLive(record, context.now), "connection-unknown", "There is no such request, or it expired.");
  if (record.answer === signed.digest) return { response: { arrived: context.now } };
  demand(record.answer === undefined, "connection-answered", "This request was already answered from another device.");
  const plan = request.parts === undefined ? undefined : await planParts(context, view, request.parts);
  const after = plan?.changed ?? view;
  const answer = await correctAnswer(signed, after.roster, plan?.suspended ?? (await suspendedNow(context, view)));
  const last = after.personal.profile;
  const listed = deviceEntry(last.payload, signed.payload.device)?.status === "active";
  const accepted = signed.payload.result === "accepted";
  demand(!accepted || (listed && signed.payload.personal === last.digest), "profile-not-connected", "An accepting answer comes with the Personal Profile that lists the device.");
  return {
    response: { arrived: context.now },
    ...(plan?.changed === undefined ? {} : { changed: plan.changed }),
    logged: { ...plan?.logged, recordings: [...(plan?.logged?.recordings ?? []), sealedOf(view.id, "connect", { answer: answer.digest, witness: signed.payload.witness })] },
    write: async (w) => {
      const again = await row<RequestRecord>(w, shelf.requests, key);
      demand(again?.answer === undefined, "connection-answered", "This request was already answered from another device.");
      await (plan?.write ?? ((writing) => checkRevision(writing, view)))(w);
      await putObject(w, answer);
      await putRow(w, shelf.requests, key, { ...record, answer: answer.digest });
    },
  };
}
