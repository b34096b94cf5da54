import { type OneTimeHash, oneTimeNumber } from "../../crypto/one-time-code.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";

/** What a site gave out for one-time codes by the clock. */
export type OneTime = { readonly secret: Uint8Array; readonly hash: OneTimeHash; readonly form: { readonly digits: number } | "steam"; readonly period: number };

/** A code, and for how many seconds it still holds. */
export type Code = { readonly code: string; readonly secondsLeft: number };

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const STEAM = "23456789BCDFGHJKMNPQRTVWXY";
const hashes: ReadonlySet<string> = new Set(["SHA1", "SHA256", "SHA512"]);

/**
 * Reads what is kept for one-time codes: an `otpauth://totp/` URL (`secret`, `algorithm`, `digits`, `period`, and `encoder=steam`), a
 * `steam://` one, or a bare secret in base32, with whatever spaces, dashes, case and padding a site prints it.
 * @throws MeshError `totp-malformed`, whose message never holds the secret; for codes by a counter too, which devices cannot keep in step
 */
export function readOneTime(kept: string): OneTime {
  const usual = { hash: "SHA1", form: { digits: 6 }, period: 30 } as const;
  const text = kept.trim();
  if (!text.includes(":")) return { ...usual, secret: secretOf(text) };
  if (/^steam:\/\//i.test(text)) return { ...usual, form: "steam", secret: secretOf(text.slice("steam://".length)) };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  demand(url?.protocol === "otpauth:", "totp-malformed", "What is kept for one-time codes is neither an otpauth: URL nor a secret in base32.");
  demand(url.host.toLowerCase() !== "hotp", "totp-malformed", "These one-time codes go by a counter, which several devices cannot keep in step.", "See what is kept: --field totp-secret. Ask the site for codes by the clock.");
  demand(url.host.toLowerCase() === "totp", "totp-malformed", "The otpauth: URL is not of a kind that is known.");
  const hash = (url.searchParams.get("algorithm") ?? "SHA1").toUpperCase().replace(/^(?:HMAC)?-?SHA-?/, "SHA");
  demand(hashes.has(hash), "totp-malformed", "The otpauth: URL names an algorithm other than SHA1, SHA256 and SHA512.");
  const secret = secretOf(url.searchParams.get("secret") ?? "");
  const period = numberIn(url, "period", 30, 1, 3600);
  if (url.searchParams.get("encoder") === "steam") return { hash: "SHA1", form: "steam", period, secret };
  return { hash: hash as OneTimeHash, form: { digits: numberIn(url, "digits", 6, 6, 8) }, period, secret };
}

/** The code that holds at a time, in milliseconds since 1970 (RFC 6238). */
export function codeAt({ form, hash, period, secret }: OneTime, now: number): Code {
  const seconds = Math.floor(now / 1000);
  const number = oneTimeNumber(hash, secret, Math.floor(seconds / period));
  const code = form === "steam" ? steam(number) : String(number % 10 ** form.digits).padStart(form.digits, "0");
  return { code, secondsLeft: period - (seconds % period) };
}

function steam(number: number): string {
  return Array.from({ length: 5 }, (_, place) => STEAM[Math.floor(number / STEAM.length ** place) % STEAM.length]).join("");
}

/** Base32 as people copy it. Stray bits at its end are dropped, as every authenticator does. */
function secretOf(text: string): Uint8Array {
  const letters = text.toUpperCase().replaceAll(/[\s-]/g, "").replace(/=+$/, "");
  demand(/^[A-Z2-7]{2,1024}$/.test(letters), "totp-malformed", "The secret of the one-time codes is not in base32.");
  const octets = new Uint8Array(Math.floor((letters.length * 5) / 8));
  let [held, bits, at] = [0, 0, 0];
  for (const letter of letters) {
    held = ((held << 5) | LETTERS.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    octets[at++] = (held >> bits) & 255;
  }
  return octets;
}

function numberIn(url: URL, name: string, usual: number, least: number, most: number): number {
  const text = url.searchParams.get(name);
  if (text === null) return usual;
  const number = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new MeshError("totp-malformed", `In the otpauth: URL, ${name} must be a whole number from ${least} to ${most}.`);
}
