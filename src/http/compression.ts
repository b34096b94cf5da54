import { promisify } from "node:util";
import { MeshError } from "../refusals/mesh-error.ts";
import type { HttpResponse } from "./answer.ts";

/** Shorter ones gain next to nothing; longer ones are mostly what is sealed, in which nothing repeats, and would keep a processor busy. */
const [LEAST, MOST] = [1024, 256 * 1024];

/** Keys and signatures in base64 become shorter by the code for their 64 characters alone, which the quickest level finds. */
const LEVEL = 1;

/** The platform's module, loaded for the first answer that needs it. */
const loaded = () => import("node:zlib");

/** An answer as gzip (RFC 1952) where whoever asks takes it; what has a tag is left as it is, for a tag names one form (RFC 9110 §8.8.3). */
export async function pack(acceptEncoding: string | undefined, answer: HttpResponse): Promise<HttpResponse> {
  const { status, headers = {}, body } = answer;
  if (status !== 200 || body.length < LEAST || body.length > MOST || headers["etag"] !== undefined || !takesGzip(acceptEncoding)) return answer;
  const { gzip } = await loaded();
  return { status, headers: { ...headers, "content-encoding": "gzip" }, body: await promisify(gzip)(body, { level: LEVEL }) };
}

/** Whether gzip is named, and not with the weight 0 (RFC 9110 §12.5.3). */
function takesGzip(acceptEncoding: string | undefined): boolean {
  return acceptEncoding !== undefined && acceptEncoding.split(",").some((one) => /^gzip(?:;q=(?:1|0\.\d{0,2}[1-9]\d{0,2}).*)?$/i.test(one.replaceAll(" ", "")));
}

/**
 * An answer's body as it was before it was packed.
 * @throws MeshError `service-answer-too-large` before more than `most` octets come out; `service-answer-malformed` for another form than gzip, or a damaged one
 */
export async function unpack(contentEncoding: string | undefined, body: Uint8Array, most: number): Promise<Uint8Array> {
  if (contentEncoding === undefined) return body;
  if (contentEncoding !== "gzip") throw new MeshError("service-answer-malformed", "The answer is packed in a form that nobody asked for.");
  const { gunzip } = await loaded();
  try {
    return await promisify(gunzip)(body, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw new MeshError("service-answer-too-large", `The answer is longer than ${most} octets.`);
    throw new MeshError("service-answer-malformed", "The answer is damaged: it does not unpack.");
  }
}
