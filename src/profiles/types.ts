import type { Udf } from "../udf/udf.ts";

/** What the identifiers of this room name; each is the UDF of a key, save the last. */
export type MasterId = Udf<"master">;
export type DeviceId = Udf<"device">;
export type PortalId = Udf<"portal">;
export type KeyId = Udf<"signature-key">;
export type ApplicationId = Udf<"application">;

/** How long an override may reach back and a contested suspension lasts: 72 h, in milliseconds (decisions 4.5, 4.6). */
export const CONTEST_MS = 72 * 60 * 60 * 1000;
