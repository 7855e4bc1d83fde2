/**
 * Sends a file of users in pieces. A browser sends a body whole before it reads the answer, so that one piece for the
 * whole file would have no progress; and after a broken connection only the piece is repeated. Without the DOM: what
 * sends is an argument.
 */
import type { Static } from '@sinclair/typebox';
import type { JobLineSchema } from '../../admin/member-job.ts';

export type JobLine = Static<typeof JobLineSchema>;

/** Bytes of a piece, before it is cut at its last line's end. */
export const PIECE_BYTES = 262_144;
/** Refused lines that are kept to be shown; the rest is counted. */
export const REFUSED_KEPT_MAX = 1_000;

const NEWLINE = 0x0a;

export interface RefusedLine {
  /** Of the file, 1-based. */
  readonly line: number;
  readonly user: string;
  readonly reason: string;
}

/** How far an upload is. Everything before `line` is in force, or was refused. */
export interface UploadProgress {
  readonly bytes: number;
  readonly bytesDone: number;
  /** Lines of the file that are done. */
  readonly line: number;
  readonly changed: number;
  /** Already as wanted. */
  readonly unchanged: number;
  readonly refused: number;
  readonly refusals: readonly RefusedLine[];
  /** Of the latest batch; `null` while nothing had to change. */
  readonly epoch: number | null;
  /** Where to go on: a piece that was begun, and its lines that are done. */
  readonly piece: { readonly offset: number; readonly linesDone: number };
}

export function uploadBeginning(bytes: number): UploadProgress {
  return {
    bytes,
    bytesDone: 0,
    line: 0,
    changed: 0,
    unchanged: 0,
    refused: 0,
    refusals: [],
    epoch: null,
    piece: { offset: 0, linesDone: 0 },
  };
}

/** The API ended the job, and said why. */
export class UploadRefused extends Error {
  override readonly name = 'UploadRefused';
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

export interface Upload {
  readonly file: Blob;
  /** Where it begins: the beginning, or where an earlier one ended. */
  readonly from: UploadProgress;
  /** Sends lines, and answers what became of them. @param fromLine of the piece, 1-based: those before are skipped */
  readonly send: (piece: Blob, fromLine: number) => AsyncIterable<JobLine>;
  /** Whatever it tells is in force, also when the upload fails after it. */
  readonly onProgress: (progress: UploadProgress) => void;
  readonly pieceBytes?: number;
}

/**
 * Runs to the end of the file.
 *
 * @throws UploadRefused; what `send` throws; RangeError for a line that is longer than a piece
 */
export async function uploadMembers(upload: Upload): Promise<UploadProgress> {
  const { file, from, onProgress, pieceBytes = PIECE_BYTES } = upload;
  let progress = from;
  while (progress.piece.offset < file.size) {
    const { offset } = progress.piece;
    const bytes = new Uint8Array(await file.slice(offset, offset + pieceBytes).arrayBuffer());
    const { length, lines } = wholeLines(bytes, offset + bytes.length >= file.size);
    if (length === 0) {
      throw new RangeError(
        `Line ${progress.line + 1} has more than ${pieceBytes} bytes: is this a list of users?`,
      );
    }
    progress = await sendPiece(upload, progress, { length, lines });
    onProgress(progress);
  }
  return progress;
}

/** As much of `bytes` as ends with a line; all of it at the end of the file. */
export function wholeLines(bytes: Uint8Array, isLast: boolean): { length: number; lines: number } {
  const length = isLast ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1 && at < length; at = bytes.indexOf(NEWLINE, at + 1))
    lines += 1;
  if (length > 0 && bytes[length - 1] !== NEWLINE) lines += 1;
  return { length, lines };
}

async function sendPiece(
  { file, send, onProgress }: Upload,
  before: UploadProgress,
  { length, lines }: { readonly length: number; readonly lines: number },
): Promise<UploadProgress> {
  const { offset, linesDone } = before.piece;
  /** Lines of the file before this piece. */
  const base = before.line - linesDone;
  let now = before;
  let isDone = false;
  for await (const line of send(file.slice(offset, offset + length), linesDone + 1)) {
    if ('error' in line) throw new UploadRefused(line.error.code, line.error.detail);
    if ('refused' in line && typeof line.refused === 'object') {
      const refusal = { ...line.refused, line: base + line.refused.line };
      const isKept = now.refusals.length < REFUSED_KEPT_MAX;
      now = { ...now, refusals: isKept ? [...now.refusals, refusal] : now.refusals };
    } else if ('changed' in line) {
      now = counted(before, now, line, { base, share: lines === 0 ? 0 : length / lines });
      if ('done' in line) {
        isDone = true;
        now = { ...now, epoch: line.epoch ?? now.epoch };
      }
      onProgress(now);
    }
  }
  if (!isDone) throw new UploadRefused('answer_cut', 'The answer ended before the lines were done.');
  const end = offset + length;
  return { ...now, line: base + lines, bytesDone: end, piece: { offset: end, linesDone: 0 } };
}

/** The counts of an answer are those of its request; the upload's are of all of them. */
function counted(
  before: UploadProgress,
  now: UploadProgress,
  counts: {
    readonly line: number;
    readonly changed: number;
    readonly unchanged: number;
    readonly refused: number;
  },
  { base, share }: { readonly base: number; readonly share: number },
): UploadProgress {
  const { offset, linesDone } = before.piece;
  const done = Math.max(linesDone, counts.line);
  return {
    ...now,
    line: base + done,
    bytesDone: Math.min(before.bytes, Math.round(offset + done * share)),
    changed: before.changed + counts.changed,
    unchanged: before.unchanged + counts.unchanged,
    refused: before.refused + counts.refused,
    piece: { offset, linesDone: done },
  };
}

/** Lines of JSON, as they come in pieces of text. An end without a newline is a line that was cut: it is left out. */
export async function* jobLines(pieces: AsyncIterable<string>): AsyncGenerator<JobLine, void, void> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') continue;
      // The API's own document: its shape is the schema from which the type follows.
      const parsed: JobLine = JSON.parse(line);
      yield parsed;
    }
  }
}
