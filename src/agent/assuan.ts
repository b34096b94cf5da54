/** What a pinentry is told (Assuan): one command a line, what would end it percent-encoded. */
export function pinentryLines(text: string, ask: "secret" | "yes or no", seconds: number): string {
  const escaped = text.replaceAll(/[%\r\n]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
  return [`SETTIMEOUT ${seconds}`, "SETTITLE Mesh", `SETDESC ${escaped}`, ...(ask === "secret" ? ["SETPROMPT Passphrase:", "GETPIN"] : ["SETOK Yes", "SETCANCEL No", "CONFIRM"]), "BYE", ""].join("\n");
}

/** What a person said to a pinentry: `said` is the secret, or empty for yes; `no` that she refused, `late` that she said nothing, `none` that nobody could be asked. */
export type Heard = { readonly said: string } | "no" | "late" | "none";

/** Errors of GnuPG by which a pinentry tells what a person did; their source is in the bits above. */
const [TIMEOUT, CANCELLED, NOT_CONFIRMED, FULLY_CANCELLED] = [62, 99, 114, 198];

/** Reads what a pinentry said to `pinentryLines`: it answers each command by OK or ERR, but for the greeting, and the secret comes before the OK of its command. */
export function readPinentry(output: string): Heard {
  const lines = output.split("\n");
  const secret = lines.filter((line) => line.startsWith("D ")).map((line) => line.slice(2)).join("");
  const error = lines.find((line) => /^ERR \d/.test(line) && !isUnknownCommand(line));
  if (error !== undefined) {
    const code = codeOf(error);
    if (code === TIMEOUT) return "late";
    return code === CANCELLED || code === NOT_CONFIRMED || code === FULLY_CANCELLED ? "no" : "none";
  }
  // The last OK is of BYE: without it the program went away before it was told anything.
  if (lines.filter((line) => /^OK(?: |$)/.test(line)).length < 5) return "none";
  return { said: secret.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))) };
}

/** An older pinentry does not know SETTIMEOUT and the like, and goes on. */
function isUnknownCommand(line: string): boolean {
  return codeOf(line) === 275 || codeOf(line) === 280;
}

function codeOf(line: string): number {
  return Number(line.split(" ")[1]) & 0xffff;
}
