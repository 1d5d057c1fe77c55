// Words of program text in other languages: calls that only compute, that only look, that write; and signs that text cannot be read off.

const words = (text: string) => text.split(/\s+/);

/** Only compute or print, over all the languages. */
export const HARMLESS_CALLS = new Set(
  words(
    'print println printf puts p pp echo len str int float bool list dict set tuple sorted sum min max range zip map filter any all abs round repr type isinstance enumerate reversed ord chr hex bin format join split strip upper lower replace keys values items log stringify parse version toString toFixed slice includes startsWith endsWith indexOf length push now var_dump phpversion say dumps loads date today isoformat sqrt floor ceil pow random randint choice uuid4 token_hex hexdigest sha256 md5 encode decode table info match search sub if for while in and or not return lambda function get append extend add pop update startswith endswith rstrip lstrip title strftime count index rindex rfind find insert splitlines group groups groupby defaultdict Counter most_common sort reverse concat flat flatMap reduce every some fromEntries entries at fill padStart padEnd repeat trim trimStart trimEnd charAt charCodeAt codePointAt fromCharCode fromCodePoint toUpperCase toLowerCase replaceAll localeCompare test isInteger isNaN isArray parseInt parseFloat Number String Boolean Array Object BigInt Set Map Symbol toISOString getTime getFullYear toLocaleString trunc sign hypot log2 log10 exp gcd lcm factorial comb perm mean median stdev mode total_seconds strptime timedelta fromisoformat year isdigit isalpha isupper islower casefold swapcase zfill ljust rjust center partition rpartition format_map divmod complex frozenset bytes bytearray memoryview iter next callable hash id issubclass super deepcopy copy most_common elements namedtuple asdict randrange sample shuffle seed urandom b64encode b64decode hexlify unhexlify quote unquote urlencode urlparse escape unescape dedent indent fill wrap pprint pformat vars dir warn error debug dir table assert deepEqual equal hasOwn structuredClone ceil cos sin tan atan2 cbrt sleep exit forEach createHash percentile digest from alloc byteLength resolve relative extname dirname basename normalize isAbsolute subn finditer fullmatch getsitepackages getusersitepackages get_path get_paths get_config_var which disk_usage get_terminal_size pretty_generate generate gather wait_for dig to_s to_i to_f to_a to_sym each_pair each_with_index uniq compact flatten tally chomp upcase downcase capitalize squeeze presence group_by sort_by min_by max_by sum_by each_slice each_cons',
  ),
);
/** Of tables and arrays. */
const TABLES =
  'groupby agg aggregate value_counts nunique pivot_table melt fillna dropna drop_duplicates astype isnull isna notna notnull sort_values sort_index reset_index set_index to_string to_dict to_list tolist to_numpy to_datetime to_numeric array arange linspace zeros ones reshape transpose dot cumsum diff shift rolling nlargest nsmallest sample quantile corr std var describe head tail info isin between clip rank merge join concat DataFrame Series unique apply applymap argsort argmax argmin where nonzero flatten ravel stack vstack hstack';
export const HARMLESS_IMPORTS = new Set(
  words(
    'sys json math re datetime time random uuid hashlib base64 string itertools functools collections statistics decimal fractions platform textwrap pprint typing dataclasses enum struct binascii secrets calendar zlib html unicodedata util crypto path url querystring assert buffer v8 perf_hooks numpy pandas torch tensorflow sklearn scipy flask django fastapi pydantic pytest yaml matplotlib transformers ast tokenize keyword operator bisect heapq locale gettext difflib fnmatch graphlib numbers colorsys timeit site sysconfig asyncio zipfile tarfile',
  ),
);
export const READING_CALLS = new Set([
  ...HARMLESS_CALLS,
  ...words(TABLES),
  ...words(
    'open read readFileSync readFile readlines read_text load safe_load listdir walk getcwd exists existsSync isfile isdir stat glob rglob iterdir getenv readdirSync statSync Path basename dirname cwd require resolve close readline splitlines next iter StringIO reader DictReader DataFrame read_csv read_json read_excel read_parquet read_table head describe sort lines parents mean getsize getmtime splitext abspath relpath isabs commonpath remove discard literal_eval get_docstring iter_child_nodes iter_fields unparse getroot iter findall findtext fromstring load_file safe_load_file read json_decode json_encode print_r var_export file_get_contents parse_ini_file file_exists is_file is_dir scandir implode explode sprintf number_format strlen substr str_replace strtolower strtoupper in_array array_keys array_values array_merge array_slice array_unique array_sum array_column php_uname ini_get extension_loaded get_loaded_extensions memory_get_usage microtime cpus totalmem freemem memoryUsage hrtime uptime hostname platform release arch tmpdir cpu_count text then json finally isDirectory isFile isSymbolicLink namelist infolist getnames getmembers lstatSync accessSync with_suffix with_name',
  ),
]);
export const DELETING_CALLS = new Set([
  ...READING_CALLS,
  ...words('unlink unlinkSync rmSync rm remove rmdir rmdirSync rmtree removedirs'),
]);
/** The removals above as members; what is removed must be a string that the text shows. */
export const REMOVAL =
  /\b(?:os|fs|shutil|promises)\.(?:remove|unlink|unlinkSync|rmdir|rmdirSync|removedirs|rm|rmSync|rmtree)\b/g;
export const COMPUTED_REMOVAL =
  /\b(?:unlink|unlinkSync|remove|rmdir|rmdirSync|removedirs|rm|rmSync|rmtree)\s{0,8}\(\s{0,8}[^"'\s]/;
/** A home folder, in the ways the languages name it, handed straight to a removal. */
export const HOME_REMOVAL =
  /\b(?:rmtree|remove_tree|rmSync|rm_rf|rm_r|rimraf|deltree|rmdirSync|removedirs|rm)\s{0,8}\(?\s{0,8}(?:\$ENV\{['"]?HOME['"]?\}|ENV\[['"]HOME['"]\]|ENV\.fetch\(['"]HOME['"]\)|Dir\.home|os\.environ\[['"]HOME['"]\]|os\.(?:environ\.get|getenv)\(['"]HOME['"]\)|os\.path\.expanduser\(['"]~\/?['"]\)|(?:pathlib\.)?Path\.home\(\)|process\.env\.HOME|(?:os|require\(['"](?:node:)?os['"]\))\.homedir\(\)|getenv\(['"]HOME['"]\)|\$_(?:SERVER|ENV)\[['"]HOME['"]\])\s{0,8}[,)};\n]/;
/** The whole environment, rather than one variable of it. */
export const ENVIRONMENT =
  /\bprocess\.env\b(?!\s{0,4}[.[?])|\bos\.environ\b(?!\s{0,4}(?:\[|\.(?:get|setdefault|pop)\b))|%ENV\b|\bENV\.(?:to_h|each|inspect|sort|map)\b|\bgetenv\(\s{0,4}\)/;
export const WRITING_CALLS = new Set([
  ...READING_CALLS,
  ...words(
    'write write_text write_bytes writeFileSync writeFile appendFileSync writelines dump safe_dump mkdir mkdirSync makedirs touch writer DictWriter writeheader writerow writerows to_csv to_json',
  ),
]);
export const FILE_MODULES = 'os pathlib glob csv fs io yaml toml tomllib configparser xml';
export const SCANNED = new Set(words('python pypy node nodejs bun deno perl ruby php'));

/** Look at a page and change nothing of it. */
export const PAGE_CALLS = new Set([
  ...HARMLESS_CALLS,
  ...words(
    'querySelector querySelectorAll getElementById getElementsByClassName getElementsByTagName getElementsByName getAttribute getAttributeNames hasAttribute closest contains matches item getComputedStyle getBoundingClientRect',
  ),
]);
/** Words by which code reaches what cannot be read off it. */
export const DYNAMIC =
  /`|__|\b(?:eval|exec|getattr|setattr|globals|locals|Function|constructor|system|compile|ctypes|binding|dlopen|qx|spawn|popen|syscall|instance_eval|public_send|reflect|Proxy)\b|%x|[\])]\s{0,8}\(/i;
/** Languages that call without brackets. */
export const PAREN_LESS =
  /\b(?:open|unlink|rename|chmod|chown|rmdir|mkdir|require|load|kill|fork|do|use|send|truncate|symlink|link|utime|write)\b/;
/** Members of `os` and `fs` that do more than look or write. */
export const LOOKING =
  /\bos\.(?!listdir|walk|environ|getenv|getcwd|stat|path|sep|linesep|name\b|scandir|uname|cpu_count|getpid|makedirs|mkdir|cpus|totalmem|freemem|hostname|platform|release|arch|type|EOL|uptime|loadavg|tmpdir)\w+|\bfs\.(?!read|exists|stat|lstat|access|promises|write|append|mkdir)\w+/;
/** Names given anew. */
export const RENAMED =
  /\b(?:from|import)\s+(?:os|io|fs|pathlib)\b[^\n;]{0,200}\bas\b|\bfrom\s+os\s+import\s+(?!path\b|getcwd\b|listdir\b|walk\b|environ\b|getenv\b)|\{[^}]{0,200}:[^}]{0,200}\}\s{0,4}=\s{0,4}(?:require|(?:fs|fsp|os|process|module|global|globalThis)\b)/;
/** Paths put together while running are not those the text shows. */
export const BUILT_PATH =
  /\bjoin\s{0,4}\(|expanduser|\bhome\b|environ|getenv|argv|\binput\s{0,4}\(|\bchr\s{0,4}\(|decode|fromhex|b64|\.format\s{0,4}\(|["']\s{0,4}[+%]|\+\s{0,4}["']|\bf["']|\/\s{0,4}["']|["']\s{0,4}\/|\$\{/;

const MADE =
  /(?<![\w$.])([A-Za-z_$][\w$]*)\s{0,4}=(?!=)\s{0,4}(?:new\s{1,4}(?:Map|Set|WeakMap|WeakSet|URLSearchParams)\b|[[{]|(?:set|dict|list|defaultdict|OrderedDict|Counter|deque)\s{0,4}\()/g;
/** What is taken out of a collection that the text itself made; it counts only where no module reaches further. */
export function ownCollections(bare: string): string {
  // Bound among others, it may be one of them.
  const among = new Set(
    [...bare.matchAll(/(?<![\w$.])([A-Za-z_$][\w$]*)\s{0,4}(?=[,)\]][^=\n;]{0,80}=(?!=))/g)].map((match) => match[1]),
  );
  const made = new Set(
    [...bare.matchAll(MADE)]
      .map((match) => match[1])
      .filter((name) => !among.has(name) && boundOnce(name as string, bare)),
  );
  if (made.size === 0) return bare;
  return bare.replace(
    /(?<![\w$.])([A-Za-z_$][\w$]*)\.(?:delete|remove|clear|discard|popitem|popleft|appendleft|insert|update|set)(?=\s{0,8}\()/g,
    (all, name: string) => (made.has(name) ? `${name}.add` : all),
  );
}

function boundOnce(name: string, bare: string): boolean {
  const word = name.replaceAll('$', '\\$');
  return [...bare.matchAll(new RegExp(String.raw`(?<![\w$.])${word}\s{0,4}=(?![=>])`, 'g'))].length === 1;
}

/** Without the few spellings that only look dangerous. */
export function tamed(bare: string): string {
  const plain = bare
    .replace(/\bjson\.load\(/g, 'json.loads(')
    // Of a table in memory.
    .replace(/\.drop\(\s{0,8}(?=(?:columns|index|labels)\s{0,4}=)/g, '.dropna(')
    .replace(/\bsys\.stdin\.(?:read|readlines|readline)\(/g, 'str(')
    .replace(/\b(?:sys|process)\.std(?:out|err)\.write\(/g, 'print(')
    .replace(/\bsys\.path\.(?:insert|append)\(/g, 'print(')
    // Inside a name it is no name of the language's own: `filter(price__gt=10)`.
    .replace(/(?<=[A-Za-z0-9])__(?=[A-Za-z0-9])/g, '_')
    .replace(/\basyncio\.run\(/g, 'print(')
    .replace(/\bimportlib\.metadata\b/g, 'sys')
    // Looks for a module; of one inside another it loads the outer one, as importing it would.
    .replace(/\bimportlib\.util\.find_spec\(/g, 'print(')
    .replace(/\bimport importlib\.util\b/g, 'import sys')
    .replace(/\btempfile\.(?:TemporaryDirectory|mkdtemp|gettempdir)\(/g, 'print(')
    .replace(
      /\bset(?:Timeout|Interval|Immediate)\(\s{0,4}(?=\(|async\b|function\b|lambda\b|\w{1,40}\s{0,4}=>)/g,
      'print(',
    )
    .replace(/__(?:version|name|doc|main|file|init|repr|str|len|eq|lt|iter|post_init|hash|contains)__/g, 'x');
  // Two of its functions only look.
  if (
    !/\bshutil\b/.test(plain) ||
    /\bfrom\s+shutil\b|\bshutil\.(?!(?:which|disk_usage|get_terminal_size)\()|\bshutil\s+as\b/.test(plain)
  )
    return plain;
  return plain.replace(/\bshutil\./g, 'x.').replace(/\bshutil\b/g, 'sys');
}
