import type { Application } from "./application.ts";
import { passwords } from "./passwords/passwords.ts";
import { ssh } from "./ssh/ssh.ts";

export type { Application } from "./application.ts";

/** Every application there is, in the order in which people are shown them. */
export const applications = [passwords, ssh] as const satisfies readonly Application[];

/** The types of the applications there are. */
export type ApplicationType = (typeof applications)[number]["type"];
