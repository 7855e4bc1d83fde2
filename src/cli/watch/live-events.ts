/** The stream of server-sent events of a gateway (WHATWG HTML, 9.2), read as it comes. */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { LIVE_PATH, type LiveDocument, LiveSchema } from '../../admin/live-document.ts';
import { inForm } from '../admin-client.ts';
import { answerTo, openCall, refusalOf, unanswered } from '../admin-connection.ts';
import { type CliContext, CliError } from '../context.ts';

/** Longer than the gateway's comments are apart: a connection that is silent for so long is dead. */
const SILENT_MS = 20_000;
const CONNECT_MS = 5_000;
/** An event is a status and two minutes of each cohort. */
const EVENT_CHARS_MAX = 64_000_000;

export interface LiveEvent {
  readonly name: string;
  readonly document: LiveDocument;
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** `undefined` for what is no event: a comment, or when to come back. */
function eventOf(block: string): LiveEvent | undefined {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).trimStart());
  }
  if (data.length === 0) return undefined;
  return { name, document: inForm(LiveSchema, parsed(data.join('\n'))) };
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<LiveEvent, void, void> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    rest += String(chunk);
    if (rest.length > EVENT_CHARS_MAX) throw new CliError('The gateway sent an event without an end.');
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== undefined) yield event;
    }
  }
}

/**
 * @param signal ends it without an error
 * @throws Unanswered when nobody answers, and when the connection is lost or ends; CliError when the gateway refuses
 */
export async function* liveEvents(
  context: Pick<CliContext, 'env'>,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent, void, void> {
  const request = openCall(
    { method: 'GET', path: LIVE_PATH, headers: { accept: 'text/event-stream' } },
    context,
  );
  const give = (): void => void request.destroy();
  signal.addEventListener('abort', give, { once: true });
  const slow = setTimeout(() => request.destroy(new Error('no answer in time')), CONNECT_MS);
  try {
    const answered = answerTo(request);
    request.end();
    const response = await answered;
    clearTimeout(slow);
    const status = response.statusCode ?? 0;
    if (status !== 200 || !String(response.headers['content-type']).startsWith('text/event-stream')) {
      throw refusalOf(parsed(await text(response)), status, context);
    }
    request.setTimeout(SILENT_MS, () => request.destroy(new Error('nothing came for 20 seconds')));
    yield* eventsOf(response);
    if (!signal.aborted) throw unanswered(new Error('the gateway ended the connection'), context);
  } catch (cause) {
    if (signal.aborted) return;
    if (cause instanceof CliError) throw cause;
    throw unanswered(cause, context);
  } finally {
    clearTimeout(slow);
    signal.removeEventListener('abort', give);
    request.destroy();
  }
}
