import type { Application } from "../application.ts";

/** The password manager: logins with their sites, notes and one-time codes. */
export const passwords = { type: "passwords", summary: "names, passwords and notes for the places you log in to", everywhere: true, coGenerated: false } as const satisfies Application;
