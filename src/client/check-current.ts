import { toBase64url } from "../bytes/base64url.ts";
import type { Currency } from "../notary/currency.ts";
import { PROMISE_MS } from "../notary/receipt.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { compareVersions } from "../profiles/version.ts";
import { demand } from "../refusals/mesh-error.ts";
import { CHEATS } from "./accuse.ts";

/** What the log has as the newest against what this device has: nothing may lack for longer than a portal may take to log it, and nothing may be kept back. */
export function checkNewest(mesh: Mesh, currency: Currency | undefined, now: number): void {
  const last = mesh.history.at(-1);
  if (last === undefined) return;
  demand(currency === undefined || (currency.label.kind === "personal" && currency.label.id === mesh.id), "portal-false-data", "The portal proved what is current of somebody else.", CHEATS);
  const { digest, payload } = last.profile;
  const order = currency?.value === undefined ? -1 : compareVersions(currency.value, payload);
  const due = now - last.arrived > PROMISE_MS;
  demand(order >= 0 || !due, "portal-missing-entry", "The portal's log lacks a version of your mesh that the portal took.", CHEATS);
  // An epoch may be some time on its way to the disk while others are still shown what was there before it.
  demand(order <= 0 || (currency?.epoch.t ?? 0) > now - PROMISE_MS, "portal-older-profile", "The portal's log has a newer version of your mesh than the portal shows.", CHEATS);
  demand(order !== 0 || toBase64url(currency?.value?.digest ?? new Uint8Array(0)) === digest, "portal-wrong-entry", "The portal's log has another object as this version of your mesh.", CHEATS);
}

/** What the log has of a mesh's suspensions against what this device has, and whether they are as many; else who was cut off would be in again for whoever is not shown it. */
export function checkSuspensions({ suspensions }: Mesh, { epoch, value }: Currency, now: number): boolean {
  const count = value?.n ?? 0;
  const due = suspensions.filter(({ arrived }) => now - arrived > PROMISE_MS).length;
  demand(count >= due, "portal-missing-entry", "The portal's log lacks a suspension that the portal took.", CHEATS);
  demand(count <= suspensions.length || epoch.t > now - PROMISE_MS, "portal-older-profile", "The portal's log has a suspension that the portal does not show: somebody who was cut off may be in again.", CHEATS);
  // In which order they came, a portal that was given back what it had lost may see otherwise.
  const known = value === undefined || count > suspensions.length || suspensions.some(({ object }) => object.digest === toBase64url(value.digest));
  demand(known, "portal-wrong-entry", "The portal's log has another suspension than the portal shows.", CHEATS);
  return count === suspensions.length;
}
