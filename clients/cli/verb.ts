// What each verb's file gives: a way to add itself to the program.

import type { Command } from 'commander';
import type { World } from './world.ts';

/** Adds a verb to the program; its action hands the exit status to `exits`. */
export type DefineVerb = (program: Command, world: World, exits: Exits) => void;
export type Exits = <Arguments extends unknown[]>(
  action: (...args: Arguments) => Promise<number>,
) => (...args: Arguments) => Promise<void>;
