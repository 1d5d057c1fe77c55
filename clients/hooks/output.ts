// What a tool gave back, before the model reads it: its texts go to Beacon as an output; what must not be read is withheld.

import { BeaconError } from '../../core/errors.ts';
import { runs } from '../../core/route.ts';
import { type Answer, aboutOutput, ask } from './ask.ts';
import type { Beacon } from './client-file.ts';
import type { ToolEvent } from './event.ts';
import { textsOf } from './output-texts.ts';
import { noteText, type Vendor } from './vendor.ts';
import { untrustedText, withheldText } from './words.ts';

/** UTF-16 code units that Beacon looks through at once, and how much of one piece stands in the next again. */
const PIECE = 60_000;
const OVERLAP = 2_000;
/** Longer outputs are withheld unread. */
const MAX_PIECES = 4;

type Asked = {
  readonly vendor: Vendor;
  readonly event: ToolEvent;
  readonly beacon: Beacon;
  readonly nonce: string;
  readonly signal: AbortSignal;
  readonly elapsedMs: () => number;
};

/** The whole stdout. Throws whatever stands between the event and a decision that can be believed. */
export async function decideOutput({ vendor, event, beacon, nonce, signal, elapsedMs }: Asked): Promise<string> {
  const text = vendor.quiet.has(event.toolName) ? '' : textsOf(event.toolResponse).join('\n');
  if (text.trim() === '') return '';
  const pieces = piecesOf(text);
  if (pieces.length > MAX_PIECES)
    throw new BeaconError('payload_too_large', 'the output is too long to be looked through');
  const told = { beacon, event, surface: vendor.surface };
  const answers = await Promise.all(
    pieces.map((piece, index) => ask(aboutOutput({ ...told, nonce: `${nonce}-${index}` }, piece), signal, elapsedMs)),
  );
  const stopped = answers.find(({ route, unmet }) => !runs(route) || unmet.length > 0);
  if (stopped) return vendor.withhold(event, withheldText(stopped));
  const warned = answers.filter((answer: Answer) => answer.route === 'WARN');
  return noteText(warned[0] && untrustedText(warned[0]));
}

function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start === 0 || start + OVERLAP < text.length; start += PIECE - OVERLAP) {
    pieces.push(text.slice(start, start + PIECE).toWellFormed());
    if (start + PIECE >= text.length) break;
  }
  return pieces;
}
