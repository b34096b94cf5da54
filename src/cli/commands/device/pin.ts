import { existsSync } from "node:fs";

import type { Client } from "../../../client/client.ts";
import { parseJoinCode } from "../../../client/join-code.ts";
import { answerPins, makePin } from "../../../client/operations/pin.ts";
import { pull } from "../../../client/sync.ts";
import { replaceFile } from "../../../machine/replace-file.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { durationOf } from "../../duration.ts";
import { openClient } from "../../open-client.ts";
import { drawQr, qrColumns, type QrModules, qrOf, qrSvg } from "../../qr.ts";

const POLL_MS = 1000;

/** `mesh device pin`: a code that lets one device in without your looking; this device lets it in while it waits, or at its next sync. */
export async function run(call: Call): Promise<void> {
  const { args, output, world } = call;
  demand((args.text("role") ?? "member") === "member", "usage-option-value", "A PIN lets a device in as member only.");
  const lifetime = durationOf(args.text("expires") ?? "1h", "expires");
  const [draw, file] = [args.flag("qr"), args.text("qr-out")];
  demand(!draw || world.isTerminal(2), "secret-not-shown", "--qr draws on a terminal, and standard error is none.", "Write a picture instead: --qr-out FILE.svg");
  demand(file === undefined || !existsSync(file), "output-failed", `There is a file ${file} already; it was not touched.`, "Say another name, or take that one away.");
  const seconds = args.number("wait", 0, 86_400) ?? (draw && call.input.mayAsk ? 600 : 0);
  const client = await openClient(call, "online");
  const made = await makePin(client, lifetime);
  output.data(made, made.pin);
  const modules = draw || file !== undefined ? await qrOf(made.uri) : undefined;
  output.note(modules === undefined ? "For one device, once. Put it in a file there: mesh join ADDRESS --pin-file FILE." : "For one device, once. Scan it there, put what you get in a file: mesh join --pin-file FILE.");
  if (isHere(parseJoinCode(made.uri).portal.url)) output.note("Your portal's address is one that only this computer knows: no other computer can join.");
  if (file !== undefined && modules !== undefined) writePicture(call, file, modules);
  // Last, so that all of it is still to be seen on a terminal of 24 lines.
  if (draw && modules !== undefined) drawOnTerminal(call, modules);
  if (seconds === 0) output.note("This device lets it in at its next `mesh sync`.");
  else await letIn(call, client, seconds);
}

function drawOnTerminal({ output, world }: Call, modules: QrModules): void {
  const columns = process.stderr.columns || 80;
  if (columns < qrColumns(modules)) return output.note(`The terminal has ${columns} columns, and the QR code needs ${qrColumns(modules)}: make it wider, or use --qr-out FILE.svg.`);
  world.write(2, drawQr(modules, ["", undefined].includes(world.environment["NO_COLOR"]) && world.environment["TERM"] !== "dumb"));
}

/** The PIN is made and shown by now, so that nothing is lost if this fails. */
function writePicture({ output }: Call, file: string, modules: QrModules): void {
  try {
    replaceFile(file, qrSvg(modules, "mesh join"));
  } catch (error) {
    throw new MeshError("output-failed", `${file} could not be written (${(error as NodeJS.ErrnoException).code ?? "unknown"}). The PIN is good all the same.`, "Choose another file with --qr-out; that makes another PIN.");
  }
  output.note(`The QR code is in ${file}, for you alone to read. Whoever sees it can join until it is used; delete it then.`);
}

/** Whether a portal is one of this computer alone: on any other its address leads elsewhere. */
function isHere(url: string): boolean {
  return /^(?:localhost|127\.[0-9.]+|\[::1\])$/.test(new URL(url).hostname);
}

/** Waits for the device, and lets in whoever proves to know this PIN or another one that is open. */
async function letIn({ output, input }: Call, client: Client, seconds: number): Promise<void> {
  if (input.mayAsk) output.note("Waiting for the device. You may stop here: it is then let in at the next `mesh sync`.");
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await new Promise((done) => setTimeout(done, POLL_MS))) {
    const synced = await pull(client);
    try {
      const admitted = await answerPins(client, synced);
      if (admitted.length > 0) return output.note(`${admitted.join(", ")} joined by PIN.`);
    } finally {
      synced.link.close();
    }
  }
  throw new MeshError("connection-pending", "Nobody has used the PIN yet.", "It stays good: run `mesh sync` once the device has asked.");
}
