import { makePin } from "../../../client/operations/pin.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `mesh device pin`: a code that lets one device in without your looking; this device answers it at its next sync. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  demand((args.text("role") ?? "member") === "member", "usage-option-value", "A PIN lets a device in as member only.");
  const match = /^(\d{1,3})([mhd])$/.exec(args.text("expires") ?? "1h");
  const lifetime = Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? Number.NaN);
  demand(lifetime > 0 && lifetime <= 7 * 86_400_000, "usage-option-value", "--expires is a time like 30m, 12h or 7d, at most 7 days.");
  const made = await makePin(await openClient(call, "online"), lifetime);
  output.data(made, made.pin);
  output.note("For one device, once. Put it in a file there: mesh join ADDRESS --pin-file FILE. This device lets it in at its next `mesh sync`.");
}
