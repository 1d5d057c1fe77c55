// Filters for tables and markup, document and image converters, search: what reads text and what makes documents.

import { type Programs, type Rule, rows } from './rule.ts';

const FILTER: Rule = { effect: 'read', operands: 'files', filter: true, special: 'filter' };
const EXPRESSION: Rule = { ...FILTER, operands: 'skip-first', special: 'expression' };
const BUILD: Rule = { effect: 'build', operands: 'none' };

export const TEXT_TOOLS: Programs = {
  ...rows(
    'pv xsltproc csvkit textql csvstat csvlook csvformat csvclean in2csv xsv qsv xan datamash jless jc fblog htmlq pup html2text w3m lynx elinks ansi2html ansifilter aspell hunspell ispell spell style diction readability wdiff dwdiff pastel glow mdcat mdp nl2br urlencode uuencode uudecode base58 base85 zbarimg qrencode sc-im visidata vd',
    { ...FILTER, values: '-c -d -k -n -f -s -t -l' },
  ),
  ...rows('csvgrep csvsort csvjoin csvsql csvjson csvpy tsv-filter tsv-select', {
    ...FILTER,
    values: '-c -m -r -f --columns --regex --match --query -d',
    options: { '--insert': { effect: 'database_change' } },
  }),
  ...rows('xq tomlq jaq gojq zq jp jmespath jello hcl2json xpath jsonpath jid rargs', {
    ...EXPRESSION,
    values: '-r -p -o -i --arg -f',
    options: { '-i|--inplace|--in-place': { effect: 'write' }, '--out': { value: 'write' } },
  }),
  dasel: {
    ...EXPRESSION,
    values: '-r -w -p -t -v -s',
    options: { '-f|--file': { value: 'target-file' }, '-o|--out': { value: 'write' } },
    subcommands: {
      'put|delete': { effect: 'write', operation: 'edit', operands: 'residue', special: 'expression' },
      '*': EXPRESSION,
    },
  },
  xmlstarlet: {
    ...FILTER,
    subcommands: {
      'ed|edit': {
        ...FILTER,
        values:
          '-u -v -i -t -n -a -s -d -r -m -x -N --update --value --insert --append --subnode --delete --rename --move',
        options: { '-L|--inplace': { effect: 'write' } },
      },
      '*': FILTER,
    },
  },
  crudini: {
    effect: 'read',
    operands: 'files',
    options: { '--set|--del|--merge': { effect: 'write', operation: 'edit' }, '--output': { value: 'write' } },
  },
  toml: {
    effect: 'read',
    subcommands: { 'get|check': EXPRESSION, set: { effect: 'read', operands: 'files' } },
  },
  ...rows(
    'jo uuid ulid nanoid pwgen apg xkcdpass diceware mkpasswd lipsum fortune cowthink toilet asciiart boxes gum dialog whiptail zenity kdialog fzf sk peco percol vipe choose hck teip chronic ifne ts isutf8 errno combine zrun',
    {
      effect: 'none',
      operands: 'none',
    },
  ),
  ...rows('ripgrep-all rga ugrep ug pdfgrep sift pt csearch glark', {
    effect: 'read',
    operands: 'skip-first',
    special: 'grep',
    defaultOperand: '.',
    flags: ['recursive'],
    values: '-A -B -C -m -g -t',
  }),
  ...rows('loc gocloc lizard diff-so-fancy git-delta csvdiff jd dyff icdiff meld kdiff3', {
    effect: 'read',
    operands: 'none',
    metadata: true,
  }),
  // Replaces in the files it is given, or filters.
  sd: {
    effect: 'write',
    operation: 'edit',
    operands: 'skip-first',
    values: '-n -f --flags --max-replacements',
    options: { '-p|--preview': { flags: ['dry_run'], effect: 'read' }, '-F|--fixed-strings|-s': {} },
  },
  ...rows('rpl ambr', { effect: 'write', operation: 'edit', operands: 'skip-first' }),
  ...rows('repren fart', {
    effect: 'write',
    operation: 'edit',
    operands: 'files',
    values: '--from --to -p --patterns',
  }),
  sad: { effect: 'write', operation: 'edit', operands: 'residue', scope: 'workspace' },
  ...rows(
    'typst mdbook zola latex lualatex pdftex xetex tectonic makeindex biber dvips dvipdfmx groff troff nroff mandoc ronn scdoc help2man asciidoc rst2html zensical antora honkit gitbook mdl doctoc remark-cli rustdoc d2 drawio structurizr nomnoml pikchr ditaa blockdiag gnuplot vl2png vl2svg rrdtool',
    BUILD,
  ),
  ...rows(
    'pdftk qpdf pdftotext pdftoppm pdfinfo pdfimages pdfunite pdfseparate pdfcrop pdfjam gs ps2pdf pdf2svg ocrmypdf tesseract wkhtmltopdf wkhtmltoimage weasyprint libreoffice soffice unoconv inkscape gimp blender openscad freecad rsvg-convert cairosvg potrace jpegoptim jpegtran cwebp dwebp avifenc heif-convert oxipng pngcrush zopflipng zopfli guetzli vips vipsthumbnail gm ffmpegthumbnailer mediainfo mkvmerge mkvextract mp4box HandBrakeCLI lame flac oggenc opusenc mpv vlc espeak whisper asciinema vhs svgcleaner svg-term fluidsynth timidity',
    BUILD,
  ),
  ...rows('cpio pax', {
    effect: 'write',
    operation: 'archive',
    operands: 'residue',
    scope: 'workspace',
    special: 'copy-archive',
    values: '-f -F -O -I -H -M -s -x -b --file --format',
    options: { '-t|--list|-it': { effect: 'read', operation: 'list' } },
  }),
  lsar: { effect: 'read', operands: 'files' },
  unar: { effect: 'write', operation: 'extract', operands: 'residue', scope: 'workspace' },
  ...rows('detox mmv vidir prename perl-rename file-rename massren brename renameutils qmv', {
    effect: 'overwrite',
    operation: 'move',
    operands: 'residue',
    flags: ['unresolved_target'],
    options: { '-n|--dry-run|--nono': { flags: ['dry_run'] } },
  }),
};
