// Program text that can be seen and calls what no list knows: an unknown program, no opaque one, as long as nothing in it
// reaches the system, computes what it calls, or is called after something being done.

import { localRequests } from './code-local.ts';
import { DECORATED } from './code-reach.ts';
import { bareText } from './code-strings.ts';
import { DYNAMIC, LOOKING, ownCollections, RENAMED, tamed } from './code-words.ts';

const words = (text: string) => new Set(text.split(/\s+/));
/** Modules by which code reaches the system, other machines or other code. */
const REACHING = words(
  'subprocess ctypes cffi socket socketserver ssl pty tty termios multiprocessing signal importlib imp runpy timeit cProfile profile bdb pdb trace doctest pickle cPickle marshal shelve dill joblib code codeop codecs builtins pexpect paramiko fabric invoke sh plumbum child_process vm worker_threads net dgram tls cluster inspector repl module smtplib telnetlib ftplib imaplib poplib nntplib xmlrpc winreg msvcrt mmap fcntl resource sched threading concurrent atexit zipimport pip setuptools shutil tempfile webbrowser tkinter pyautogui pynput keyring hvac urllib http httpx requests aiohttp websockets scapy nmap docker kubernetes process bindings ffi koffi ref v8 async_hooks diagnostics_channel',
);
/** Words of a name by which it does something to something. */
const DOING = words(
  'delete del remove rm drop destroy terminate purge truncate wipe erase kill unlink rmdir rmtree clear reset revoke disable stop cancel abort refund charge pay payout transfer send sendall sendmail post put patch publish upload push mail email tweet notify message invite share grant create update insert upsert write save commit execute executemany executescript run exec eval system spawn popen invoke apply deploy start shutdown reboot move rename chmod chown bind listen login set register assume secret secrets password credential credentials token decrypt encrypt migrate sync flush submit dispatch trigger call install uninstall restore rollback merge order book buy purchase subscribe unsubscribe lock unlock enable attach detach connect mkdir symlink link export fork hook patch inject override unpickle deserialize setattr delattr download fetch request query raw unsafe shell command cmd process thread signal emit fire launch boot seed drain evict scale rotate approve reject close',
);

/** Such words as the name of a class are the thing, not the deed: `Order(…)`, `Token(…)`. */
const THINGS = words(
  'Order Book Request Message Token Credentials Command Signal Patch Post Query Mail Email Share Payment Transfer Upload Thread Event Process Secret Invite',
);

/** What is created under these names is an object in memory. */
const IN_MEMORY =
  /^create_?(?:app|application|store|engine|context|element|parser|program|logger|router|selector|reducer|source_?file|test_?client|hash|ref|signal|memo)$/i;

/** Written as one word with what it is done to: `flushall`, `deletemany`. */
const MANY = /(?:all|many|one|each|db|everything|tree|dirs?|rows?|files?|tables?|keys?)$/;

export function plainlyUnknown(language: string, text: string): boolean {
  const lexed = bareText(language, text);
  if (lexed === undefined) return false;
  const bare = drivenHere(language, ownCollections(ownModules(tamed(lexed), text)), text)
    .replace(/__(?:version|name|doc|main|file|all|table|path|annotations|init|repr|str|len)__/g, 'x')
    // Asks for objects of a class: a text would be a statement.
    .replace(/\.query\(\s{0,8}(?=[A-Z]\w{0,60}(?:\.\w{1,60})?\s{0,4}[,)])/g, '.find(')
    // What an object of the text's own keeps of itself.
    .replace(/\b(?:this|self)\.(\w{1,60}\s{0,4}=(?![=>]))/g, '$1');
  if (DYNAMIC.test(bare) || LOOKING.test(bare) || RENAMED.test(text) || /\bimport\s*["(]/.test(bare)) return false;
  // A decorator is a call, and a name given to something else is that.
  if (DECORATED.test(bare) || /\bopen\b(?!\s{0,8}\()/.test(bare) || renames(bare)) return false;
  if (/\bPath\b/.test(bare) && /\.replace\s{0,4}\(\s{0,8}[^,()]{0,300}\)/.test(bare)) return false;
  if (modulesOf(bare, text).some((name) => REACHING.has(name))) return false;
  for (const match of bare.matchAll(/(?<![\w$])([A-Za-z_$][\w$]*)\s{0,8}\(/g))
    if (!THINGS.has(match[1] as string) && does(match[1] as string)) return false;
  // What it sets may be anybody's.
  return !/(?<![\w$])[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*){1,8}\s{0,4}(?:[-+*/]?=)(?![=>])/.test(bare);
}

function renames(bare: string): boolean {
  const called = new Set([...bare.matchAll(/(?<![\w$.])([A-Za-z_$][\w$]*)\s{0,8}\(/g)].map((match) => match[1]));
  return [
    ...bare.matchAll(
      /(?<![\w$.])([A-Za-z_$][\w$]*)\s{0,4}=(?![=>])(?!\s{0,4}(?:\(|def\b|function\b|async\b|lambda\b|\w{1,40}\s{0,4}=>|(?:new )?(?:\w{1,40}\.){0,4}[A-Z]\w{0,60}\())/g,
    ),
  ].some((match) => called.has(match[1] as string));
}

function modulesOf(bare: string, text: string): string[] {
  const root = (name: string) =>
    (
      name
        .trim()
        .replace(/^node:/, '')
        .split(/[./\s]/)[0] as string
    ).trim();
  const imported = [
    ...bare.matchAll(/\bfrom\s+([\w.]+)\s+import\b|\bimport\s+([A-Za-z_][\w.]*(?:\s*,\s*[A-Za-z_][\w.]*){0,32})/g),
  ];
  const required = [...text.matchAll(/\b(?:require|import)\s*\(\s*['"]([^'"]*)['"]|\bfrom\s+['"]([^'"]*)['"]/g)];
  return [
    ...imported.flatMap((match) => ((match[1] ?? match[2]) as string).split(',')).map(root),
    ...required.map((match) => root((match[1] ?? match[2]) as string)),
  ];
}

const DRIVES = /\b(?:playwright|puppeteer|selenium)\b/;
/** What is done to a page, and to the browser that shows it. */
const ON_PAGE =
  /\.(?:launch|new_?[cC]ontext|new_?[pP]age|close|goto|click|fill|press|type|hover|check|uncheck|screenshot|reload|wait_?[fF]or\w{0,20}|locator|on|text_?[cC]ontent|inner_?[tT]ext)\s{0,4}(?=\()/g;
/** The browser is another program then, or the page goes elsewhere by itself. */
const OTHERWISE =
  /\bexecutable_?path\b|\bargs\b|\bstorage_?state\b|user_?data_?dir|persistent|evaluate|init_?script|set_?content|\broute\b|\bcdp\b|\benv\b|channel/i;

/** A browser that is only sent to pages of this machine does nothing elsewhere. */
function drivenHere(language: string, bare: string, text: string): string {
  if (!DRIVES.test(text) || OTHERWISE.test(text) || localRequests(language, text) === undefined) return bare;
  const sent = [...bare.matchAll(/\.goto\b/g)].length;
  const shown = [...text.matchAll(/\.goto\(\s{0,8}["']http/g)].length;
  return sent > 0 && sent === shown ? bare.replace(ON_PAGE, '.find') : bare;
}

/** A module of the project runs as any script of it does; one that is computed is another matter. */
function ownModules(bare: string, text: string): string {
  const shown = /\bimport\s{0,4}\(\s{0,4}["']\.{1,2}\/[\w./-]{1,200}["']\s{0,4}\)/g;
  const called = /\bimport\s{0,4}\(\s{0,4}""\s{0,4}\)/g;
  const count = [...text.matchAll(shown)].length;
  return count === [...bare.matchAll(/\bimport\s*["(]/g)].length ? bare.replace(called, 'print("")') : bare;
}

function does(name: string): boolean {
  if (IN_MEMORY.test(name)) return false;
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split('_')
    .some((word) => DOING.has(word) || DOING.has(word.replace(MANY, '')));
}
