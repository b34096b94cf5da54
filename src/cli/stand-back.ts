/** The longest pause after the first try, in milliseconds; it doubles with each. */
const PAUSE_MS = 20;

/** Pauses for a time of chance, longer after each try, so that of two devices in step with each other one gets through. */
export function standBack(tries: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, Math.random() * PAUSE_MS * 2 ** (tries - 1)));
}
