import type { Command, Noun } from "./command.ts";
import { passwordCommands } from "./tables/password.ts";

/** Every command that works, in the order in which help lists them. Nothing here loads a command's code. */
export const commands: readonly Command[] = [...passwordCommands];

/** The groups that commands of two words belong to. */
export const nouns: readonly Noun[] = [{ name: "password", summary: "logins, the same on all your devices" }];
