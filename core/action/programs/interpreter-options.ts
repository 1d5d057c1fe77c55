// Options of interpreters: which give program text, which only check a file, which take a value.

/** What stands behind these is program text. */
export const INLINE: { readonly [tool: string]: RegExp } = {
  python: /^-[A-Za-z]*c$/,
  pypy: /^-[A-Za-z]*c$/,
  node: /^(?:-e|--eval|-p|--print|-pe)$/,
  nodejs: /^(?:-e|--eval|-p|--print|-pe)$/,
  bun: /^(?:-e|--eval|-p|--print)$/,
  perl: /^-[A-Za-z0-9]*[eE]$/,
  ruby: /^-[A-Za-z]*e$/,
  php: /^-r$/,
  lua: /^-e$/,
  osascript: /^-e$/,
  Rscript: /^-e$/,
  R: /^-e$/,
  julia: /^-[eE]$/,
  luajit: /^-e$/,
  groovy: /^-e$/,
  octave: /^--eval$/,
  racket: /^-e$/,
  elixir: /^(?:-e|--eval|--rpc-eval)$/,
  iex: /^(?:-e|--eval)$/,
  guile: /^-c$/,
};

/** Only read for errors in their grammar. */
export const CHECKS: { readonly [tool: string]: RegExp } = {
  node: /^(?:--check|-c)$/,
  php: /^(?:-l|--syntax-check)$/,
  ruby: /^-w?cw?$/,
};

/** The next word belongs to them. */
export const TAKES_VALUE = new Set([
  '-W',
  '-X',
  '-r',
  '--require',
  '--import',
  '--loader',
  '--conditions',
  '-C',
  '-I',
  '-M',
  '-m',
  '--env-file',
  '-d',
  '-c',
]);
