// Tools that use a screen with mouse and keyboard: looking and moving change nothing; what a press does nobody can see from here.

import type { Draft } from './draft.ts';
import { isObject, type ToolCall } from './tool-arguments.ts';
import { plainName } from './tool-names.ts';

const NAMES = /^(?:computer(?:_use\w*|_\d+)?|desktop|mouse|keyboard|screen|screenshot|take_screenshot|computer_call)$/;
const LOOKS =
  /^(?:screenshot|take_screenshot|mouse_move|move|move_mouse|cursor_position|get_cursor_position|wait|sleep|scroll|zoom|hover|get_screen\w*|screen_size|read|observe)$/;
const KEYS =
  /^(?:page_?up|page_?down|arrow\w*|up|down|left|right|tab|shift\+tab|esc|escape|home|end|(?:ctrl|cmd|control|meta|command)\+[acf0+-])$/i;

/** Undefined when the call is of no such tool, or says nothing of what it does. */
export function readComputer({ given }: ToolCall, name: string): Draft[] | undefined {
  if (!NAMES.test(name)) return undefined;
  const said = isObject(given.action) ? given.action.type : (given.action ?? given.type ?? name);
  if (typeof said !== 'string') return undefined;
  const deed = plainName(said);
  const keys = [given.text, given.key, given.keys, isObject(given.action) ? given.action.keys : undefined].flat();
  const quiet =
    LOOKS.test(deed) ||
    (/^(?:key|keypress|press|hotkey|key_press)$/.test(deed) &&
      keys.some((key) => key !== undefined) &&
      keys.every((key) => key === undefined || (typeof key === 'string' && KEYS.test(key.trim()))));
  return [
    {
      tool: 'computer',
      operation: deed.slice(0, 64),
      effect: quiet ? 'read' : 'unknown',
      targets: [],
      flags: [],
      residue: quiet ? [] : [JSON.stringify(given)],
      scope: 'machine',
    },
  ];
}
