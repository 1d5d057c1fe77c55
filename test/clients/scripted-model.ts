// A model that says what the test wrote: it speaks just enough of the OpenAI Responses and Anthropic Messages streams for
// the real clients, on loopback, and keeps what the clients told it about the tools they ran or were refused.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One tool call the model asks for. `custom` is Codex's free-text form, such as apply_patch. */
export type Step = { readonly tool: string; readonly input: Record<string, unknown> | string; readonly custom?: true };

export type ScriptedModel = {
  readonly port: number;
  /** Texts of the tool results that the client sent back, in order. */
  readonly toolResults: string[];
  close(): Promise<void>;
};

// biome-ignore lint/suspicious/noExplicitAny: foreign wire formats, read where they are used
type Json = any;
type Event = { type: string; [field: string]: unknown };

const LAST_WORD = 'finished';
const callId = (index: number) => `toolu_call_${index}`;

export async function startScriptedModel(steps: readonly Step[]): Promise<ScriptedModel> {
  const toolResults: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await readJson(request);
    const path = new URL(request.url ?? '/', 'http://model').pathname;
    if (path.endsWith('/responses')) return stream(response, openAiTurn(body, steps, toolResults));
    if (path.endsWith('/count_tokens')) return json(response, 200, { input_tokens: 10 });
    if (path.endsWith('/messages')) return anthropicAnswer(response, body, steps, toolResults);
    return json(response, request.method === 'HEAD' ? 200 : 404, { error: { message: 'not scripted' } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    toolResults,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function readJson(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function stream(response: ServerResponse, events: readonly Event[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}

/** Each request carries the whole conversation, so the results in it say which step is next. */
function keep(kept: string[], results: readonly unknown[]): number {
  const texts = results.map((result) => (typeof result === 'string' ? result : JSON.stringify(result)));
  kept.splice(0, kept.length, ...texts);
  return results.length;
}

function openAiTurn(body: Json, steps: readonly Step[], kept: string[]): Event[] {
  const outputs = (body.input ?? []).filter((item: Json) => String(item.type).endsWith('_output'));
  const turn = keep(
    kept,
    outputs.map((item: Json) => item.output),
  );
  const id = `resp_${turn}`;
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  return [
    { type: 'response.created', response: { id } },
    { type: 'response.output_item.done', output_index: 0, item: openAiItem(steps[turn], turn) },
    { type: 'response.completed', response: { id, usage } },
  ];
}

function openAiItem(step: Step | undefined, turn: number): object {
  if (!step) return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: LAST_WORD }] };
  const call = { call_id: callId(turn), name: step.tool };
  if (step.custom) return { type: 'custom_tool_call', ...call, input: step.input };
  return { type: 'function_call', ...call, arguments: JSON.stringify(step.input) };
}

function anthropicAnswer(response: ServerResponse, body: Json, steps: readonly Step[], kept: string[]): void {
  // Titles and quota probes offer no tools; they are no turn of the conversation.
  const turn = (body.tools ?? []).length === 0 ? steps.length : anthropicTurn(body, kept);
  const step = steps[turn];
  const block = step
    ? { type: 'tool_use', id: callId(turn), name: step.tool, input: step.input }
    : { type: 'text', text: LAST_WORD };
  const stop = { stop_reason: step ? 'tool_use' : 'end_turn', stop_sequence: null };
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = { id: `msg_${turn}`, type: 'message', role: 'assistant', model: body.model, usage };
  if (!body.stream) {
    json(response, 200, { ...message, ...stop, content: [block] });
    return;
  }
  const [start, delta] = step
    ? [
        { ...block, input: {} },
        { type: 'input_json_delta', partial_json: JSON.stringify(step.input) },
      ]
    : [
        { ...block, text: '' },
        { type: 'text_delta', text: LAST_WORD },
      ];
  stream(response, [
    { type: 'message_start', message: { ...message, content: [], stop_reason: null, stop_sequence: null } },
    { type: 'content_block_start', index: 0, content_block: start },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: stop, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]);
}

function anthropicTurn(body: Json, kept: string[]): number {
  const blocks = (body.messages ?? []).flatMap((message: Json) => message.content);
  const results = blocks.filter((block: Json) => block?.type === 'tool_result');
  return keep(
    kept,
    results.map((block: Json) => block.content),
  );
}
