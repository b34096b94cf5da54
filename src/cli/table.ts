import type { Command, Noun } from "./command.ts";
import { dailyCommands } from "./tables/daily.ts";
import { deviceCommands } from "./tables/device.ts";
import { logCommands } from "./tables/log.ts";
import { passwordCommands } from "./tables/password.ts";
import { portalCommands } from "./tables/portal.ts";
import { profileCommands } from "./tables/profile.ts";
import { sshCommands } from "./tables/ssh.ts";

/** Every command that works, in the order in which help lists them. Nothing here loads a command's code. */
export const commands: readonly Command[] = [...dailyCommands, ...deviceCommands, ...passwordCommands, ...sshCommands, ...profileCommands, ...logCommands, ...portalCommands];

/** The groups that commands of two words belong to. */
export const nouns: readonly Noun[] = [
  { name: "device", summary: "your devices: let in, list, cut off" },
  { name: "password", summary: "logins, the same on all your devices" },
  { name: "ssh", summary: "a key of its own on each device, for the servers you log in to" },
  { name: "passphrase", summary: "what unlocks this device" },
  { name: "profile", summary: "look at what is signed, and judge it" },
  { name: "log", summary: "hold your portal to what it took" },
  { name: "portal", summary: "run a portal of your own" },
];
