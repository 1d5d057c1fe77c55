// Commands and the ways to dress them so that they read differently and do the same; shared by the tests of effects and of routes.

export const DANGEROUS = [
  'rm -rf /',
  'rm -rf ~',
  'rm -fr /etc',
  'dd if=/dev/zero of=/dev/sda',
  'git push --force origin main',
  'cat /home/ada/.ssh/id_rsa',
  'rm -rf .git',
  'mkfs.ext4 /dev/sdb',
  'git reset --hard',
  'npm publish',
  'terraform destroy -auto-approve',
  'chmod -R 777 /',
  'iptables -F',
  'rm -rf /home/ada/work/src',
];
export const HARMLESS = [
  'ls -la',
  'cat README.md',
  'git status',
  'grep -rn TODO src',
  'npm test',
  'echo hello',
  'git push origin feature/x',
];

export type Disguise = readonly [string, (command: string) => string];

const words = (command: string) => command.split(' ');
const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const hex = (text: string) =>
  [...text].map((letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
const octal = (text: string) =>
  [...text].map((letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`).join('');

export const SEEN: readonly Disguise[] = [
  ['single quotes', (command) => words(command).map(single).join(' ')],
  [
    'double quotes',
    (command) =>
      words(command)
        .map((word) => (word.startsWith('~') ? word : `"${word}"`))
        .join(' '),
  ],
  [
    'quotes inside words',
    (command) =>
      words(command)
        .map((word) => (word.startsWith('~') || word.length < 2 ? word : `${word[0]}''${word.slice(1)}`))
        .join(' '),
  ],
  [
    'backslashes',
    (command) =>
      words(command)
        .map((word) => (word.startsWith('~') ? word : [...word].map((letter) => `\\${letter}`).join('')))
        .join(' '),
  ],
  [
    'ANSI-C hex',
    (command) =>
      words(command)
        .map((word) => (word.startsWith('~') ? word : `$'${hex(word)}'`))
        .join(' '),
  ],
  [
    'ANSI-C octal',
    (command) =>
      words(command)
        .map((word) => (word.startsWith('~') ? word : `$'${octal(word)}'`))
        .join(' '),
  ],
  ['$IFS', (command) => words(command).join('$IFS$9')],
  ['IFS in braces', (command) => words(command).join(`\${IFS}`)],
  ['brace list', (command) => `{${words(command).join(',')}}`],
  [
    'variables',
    (command) =>
      `${words(command)
        .map((word, index) => `v${index}=${word}`)
        .join('; ')}; ${words(command)
        .map((_, index) => `$v${index}`)
        .join(' ')}`,
  ],
  ['one variable', (command) => `c="${command}"; $c`],
  ['array', (command) => `c=(${command}); "\${c[@]}"`],
  ['positional', (command) => `set -- ${command}; "$@"`],
  ['bash -c', (command) => `bash -c ${single(command)}`],
  ['sh -c in sh -c', (command) => `sh -c ${single(`sh -c ${single(command)}`)}`],
  ['eval', (command) => `eval ${single(command)}`],
  ['eval of a variable', (command) => `x=${single(command)}; eval "$x"`],
  ['function', (command) => `f() { ${command}; }; f`],
  ['function with arguments', (command) => `f() { "$@"; }; f ${command}`],
  ['alias', (command) => `alias zz=${single(command)}; zz`],
  ['env', (command) => `env A=1 ${command}`],
  ['env -S', (command) => `env -S ${single(command)}`],
  ['sudo', (command) => `sudo -u root ${command}`],
  ['nohup', (command) => `nohup ${command} >/dev/null 2>&1 &`],
  ['timeout', (command) => `timeout -k 1 5 ${command}`],
  ['nice and time', (command) => `time nice -n 5 ${command}`],
  ['command', (command) => `command ${command}`],
  ['exec', (command) => `exec ${command}`],
  ['full path', (command) => `/usr/bin/${command}`],
  ['behind others', (command) => `true && ls; ${command} || true`],
  ['subshell', (command) => `( ( ${command} ) )`],
  ['substitution', (command) => `echo "$(${command})"`],
  ['backticks', (command) => `: \`${command}\``],
  ['here-document', (command) => `bash <<'X'\n${command}\nX`],
  ['here-string', (command) => `bash <<< ${single(command)}`],
  ['pipe to sh', (command) => `echo ${single(command)} | sh`],
  ['printf to sh', (command) => `printf '%s' ${single(command)} | bash`],
  ['base64', (command) => `echo ${Buffer.from(command).toString('base64')} | base64 -d | bash`],
  ['hex dump', (command) => `echo ${Buffer.from(command).toString('hex')} | xxd -r -p | sh`],
  ['reversed', (command) => `echo ${single([...command].reverse().join(''))} | rev | sh`],
  [
    'rot',
    (command) =>
      `echo ${single(command.replace(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97)))} | tr 'a-z' 'n-za-m' | sh`,
  ],
  ['xargs', (command) => `echo ${words(command).slice(1).join(' ')} | xargs ${words(command)[0]}`],
  ['written and run', (command) => `echo ${single(command)} > s.sh && bash s.sh`],
  ['loop', (command) => `for i in 1 2 3; do ${command}; done`],
  ['condition', (command) => `if [ -d x ]; then ${command}; else ls; fi`],
  ['a syntax error behind it', (command) => `${command}\nif [ ; then`],
  ['line continuation', (command) => command.replaceAll(' ', ' \\\n ')],
  [
    'default value',
    (command) =>
      words(command)
        .map((word, index) => (index === 0 ? `\${UNSET_NAME:-${word}}` : word))
        .join(' '),
  ],
  ['slices of PATH', (command) => command.replace(/ \//g, ` \${PATH:0:1}`)],
  ['python', (command) => `python3 -c ${single(`import os; os.system(${JSON.stringify(command)})`)}`],
  ['perl', (command) => `perl -e ${single(`system(${JSON.stringify(command)})`)}`],
  ['node', (command) => `node -e ${single(`require('child_process').execSync(${JSON.stringify(command)})`)}`],
  ['trap', (command) => `trap ${single(command)} EXIT`],
  ['find -exec', (command) => `find . -maxdepth 0 -exec ${command} \\;`],
  ['awk', (command) => `awk 'BEGIN { system("${command}") }'`],
  ['parallel', (command) => `parallel ::: ${single(command)}`],
  ['makefile on standard input', (command) => `make -f - <<'X'\nall:\n\t${command}\nX`],
  ['makefile written first', (command) => `printf 'all:\\n\\t%s\\n' ${single(command)} > Makefile; make`],
  ['timed', (command) => `hyperfine ${single(command)}`],
  ['line editor', (command) => `ed -s x <<< ${single(`!${command}`)}`],
  ['debugger', (command) => `gdb -batch -ex ${single(`shell ${command}`)}`],
  ['pager', (command) => `PAGER=${single(command)} man ls`],
  ['joined', (command) => `concurrently ${single(command)} ls`],
];

/** Cannot be seen through: opaque is right for harmless commands, too. */
export const OPAQUE = new Set([
  'a syntax error behind it',
  'python',
  'perl',
  'node',
  'alias',
  'awk',
  'sudo',
  'written and run',
  'xargs',
  'makefile written first',
  'timed',
  'line editor',
  'debugger',
  'joined',
  'makefile on standard input',
]);
