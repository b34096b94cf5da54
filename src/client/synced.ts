import type { Decapsulator } from "../envelope/sealed.ts";
import type { Mesh } from "../profiles/mesh.ts";
import type { ResponseOf } from "../protocol/command.ts";
import type { status } from "../protocol/profiles.ts";
import type { Self } from "./client.ts";
import type { PortalLink, Requester } from "./portal-link.ts";

/** A connection to the home portal with what this device knows, brought up to date. */
export type Synced = { readonly link: PortalLink; readonly self: Self; readonly requester: Requester; readonly key: Decapsulator; readonly mesh: Mesh; readonly now: number; readonly answer: ResponseOf<typeof status>; readonly received: number };
