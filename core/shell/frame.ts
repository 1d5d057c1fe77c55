// What a walk hands to its judge: commands with where and how they run, and the calls by which a judge walks further in.

import type { Arg, Origin, ShellState, Stream, Value } from './values.ts';
import { NO_STREAM } from './values.ts';

/** Where and how a command runs. */
export type Frame = {
  /** Facts that hold for everything inside: `via_sudo`, `remote`, `background`. */
  readonly flags: readonly string[];
  /** `host:NAME`, `container:NAME` when it does not run here. */
  readonly remote: string | undefined;
  /** As whom and by what way everything inside runs: no fact to judge by, but another is another action. */
  readonly bound?: readonly string[];
  /** Folders of this machine seen from inside a container. */
  readonly mounts?: readonly { readonly inside: string; readonly outside: string }[];
  readonly stdin: Stream;
  readonly depth: number;
  /** Functions and aliases being called, outermost first. */
  readonly calls: readonly unknown[];
  /** Where in the outermost text this stands. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
};

export const OUTER_FRAME: Frame = {
  flags: [],
  remote: undefined,
  stdin: NO_STREAM,
  depth: 0,
  calls: [],
  range: undefined,
};

export function withFlags(frame: Frame, ...flags: string[]): Frame {
  return { ...frame, flags: [...new Set([...frame.flags, ...flags])] };
}

export function withBound(frame: Frame, ...bound: string[]): Frame {
  return bound.length === 0 ? frame : { ...frame, bound: [...new Set([...(frame.bound ?? []), ...bound])] };
}

/** One simple command, ready to be judged. */
export type Invocation = {
  /** Program first; never empty. */
  readonly words: readonly Arg[];
  /** `NAME=value` set for this command alone. */
  readonly assignments: readonly { readonly name: string; readonly value: Value }[];
  readonly state: ShellState;
  readonly frame: Frame;
};

export type RedirectUse = {
  readonly direction: 'read' | 'write' | 'append';
  readonly target: Arg;
  /** What is written, when it can be told. */
  readonly content: Stream;
  /** The command that writes or reads, program first; may be empty. */
  readonly words: readonly Arg[];
  readonly state: ShellState;
  readonly frame: Frame;
};

/** Receives what the walk finds. `run` gives back what the command prints. */
export type Judge = {
  /** Every command by the words it is called with, wrappers and builtins too. */
  called(words: readonly Arg[]): void;
  run(invocation: Invocation, walk: Walk): Stream;
  redirect(use: RedirectUse, walk: Walk): void;
  /** Code that cannot be seen. */
  opaque(reason: string, text: string, origins: readonly Origin[], frame: Frame): void;
  flood(frame: Frame): void;
};

/** Shared by all walks of one proposal. */
export type Effort = { work: number };

export type Walk = {
  readonly judge: Judge;
  commands: number;
  readonly effort: Effort;
  /** It has been told that the rest is not looked at. */
  gaveUp: boolean;
  readonly called: Set<unknown>;
  /** Walks script text; text that does not parse is one opaque part. */
  text(text: string, state: ShellState, frame: Frame): Stream;
  /** Walks an argument list as one simple command: functions, aliases, builtins and wrappers included. */
  words(words: readonly Arg[], state: ShellState, frame: Frame): Stream;
};
