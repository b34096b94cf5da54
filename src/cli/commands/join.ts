import { hostname } from "node:os";

import type { Client } from "../../client/client.ts";
import { confirmJoin, type Joined, joinMesh, type JoinOptions } from "../../client/operations/join.ts";
import { isJoinCode, parseJoinCode } from "../../client/join-code.ts";
import { parsePin } from "../../client/pin-code.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { parseAddress } from "../../udf/sin.ts";
import { parseWords } from "../../udf/words.ts";
import type { Args } from "../args.ts";
import type { Call } from "../call.ts";
import { openNewClient } from "../new-client.ts";
import { portalOf } from "../where.ts";

const POLL_MS = 700;

/** `mesh join [ADDRESS]`: asks to join, shows six words, takes three back. Run again, it goes on; while it waits it exits with 5. */
export async function run(call: Call): Promise<void> {
  const { args, input, output } = call;
  const { address, domain, master, pinCode, portal: named } = whereTo(args, await input.secretFile("pin-file"));
  const portal = await portalOf(domain, args.text("portal") ?? named);
  const { client, resumed } = await openNewClient(call);
  const options: JoinOptions = { address, deviceName: args.text("device-name") ?? hostname(), portal: resumed?.portal ?? portal, ...(master === undefined ? {} : { master }), ...(pinCode === undefined ? {} : { pinCode }) };
  const answer = args.text("answer");
  // Begun before: the words can be checked before anybody is asked.
  if (answer !== undefined && resumed !== undefined) await confirmJoin(client, parseWords(answer, 3));
  let joined = await joinMesh(client, options);
  if (joined.status === "pending" && !joined.answered && pinCode === undefined) output.note(`Pick these words on your other device (mesh device accept):\n\n    ${joined.words}\n`);
  if (answer !== undefined && resumed === undefined && joined.status === "pending") {
    await confirmJoin(client, parseWords(answer, 3));
    joined = await joinMesh(client, options);
  }
  if (joined.status === "pending" && !joined.answered && input.mayAsk) output.note(`Waiting for your other device${pinCode === undefined ? "" : ", which lets this one in at its next mesh sync"}. You may stop here; the same command goes on.\n`);
  joined = await waitFor(joined, waitMs(call), () => joinMesh(client, options));
  if (joined.status === "pending" && joined.answered && answer === undefined && input.mayAsk) {
    await confirmJoin(client, parseWords(await input.ask("The three words that your other device shows", "answer"), 3));
    joined = await joinMesh(client, options);
  }
  if (joined.status === "connected") await keepCertificates(client);
  report(call, joined, address, pinCode !== undefined);
}

/** What it gets into managed servers by came with the rest, if SSH is set up: the device that let it in gave it that. */
async function keepCertificates(client: Client): Promise<void> {
  if ((await client.rows.read((rows) => rows.get("types", "ssh"))) === undefined) return;
  await (await import("../ssh/certificates.ts")).tendCertificates(client);
}

type Destination = Pick<JoinOptions, "address" | "master" | "pinCode"> & { readonly domain: string; readonly portal?: string };

/** Where to join: what is typed, and what a join code in the PIN's file says; where both speak, they must agree. */
function whereTo(args: Args, secret: string | undefined): Destination {
  const code = secret !== undefined && isJoinCode(secret) ? parseJoinCode(secret) : undefined;
  demand(code !== undefined || secret === undefined || !/mesh:join\//i.test(secret), "pin-malformed", "Something stands before the join code in the PIN's file.", "Put the code alone there; zbarcam and zbarimg do with --raw.");
  const said = args.text("ADDRESS");
  if (said === undefined && code === undefined) throw new MeshError("usage-missing-argument", "mesh join needs ADDRESS, or --pin-file with a code that was scanned.", "See: mesh join --help");
  const { address, domain, pin: master } = parseAddress(said ?? code?.address ?? "");
  const pinCode = code?.pin ?? secret;
  demand(code === undefined || code.address === address, "usage-options-conflict", `The code in the PIN's file is for ${code?.address}, not for ${address}.`, "Leave the address out, or take the other code.");
  demand(master === undefined || pinCode === undefined || parsePin(pinCode).master === master, "usage-options-conflict", "The PIN is for another mesh than the one that the address names.", "Do not go on before you know which of the two is yours.");
  return { address, domain, ...(master === undefined ? {} : { master }), ...(pinCode === undefined ? {} : { pinCode }), ...(code === undefined ? {} : { portal: `${code.portal.url}#${code.portal.pin}` }) };
}

/** With someone at the terminal the command waits by itself; a script says how long. */
function waitMs({ args, input }: Call): number {
  const seconds = args.number("wait", 0, 86_400);
  return seconds === undefined ? (input.mayAsk ? 10 * 60_000 : 0) : seconds * 1000;
}

async function waitFor(first: Joined, ms: number, again: () => Promise<Joined>): Promise<Joined> {
  let joined = first;
  for (const end = performance.now() + ms; joined.status === "pending" && !joined.answered && performance.now() < end; ) {
    await new Promise((done) => setTimeout(done, POLL_MS));
    joined = await again();
  }
  return joined;
}

function report({ output }: Call, joined: Joined, address: string, byPin: boolean): void {
  const document = { status: joined.status, words: joined.words, witness: joined.witness };
  if (joined.status === "connected") return output.receipt(document, `This device is one of ${address}'s now.`);
  if (joined.status === "rejected") {
    output.receipt(document, "");
    throw new MeshError("connection-rejected", "Your other device rejected this one.", "Nothing was changed there. To ask again, run the same command.");
  }
  output.receipt(document, "");
  if (joined.answered) throw new MeshError("connection-pending", "Your other device has accepted this one, and shows three words.", `Type them here: mesh join ${address} --answer "THREE WORDS"`);
  if (byPin) throw new MeshError("connection-pending", "This device waits for the one that made the PIN.", "Run `mesh sync` there, then the same command again here.");
  throw new MeshError("connection-pending", "This device waits to be accepted.", "Accept it on your other device, then run the same command again.");
}

