// Tools that only reshape what they are given: text, pictures, recordings, documents, sources. What they change is the
// files they name; with none named the result is all there is.

import { type Given, stringsOf } from './tool-arguments.ts';

/** Put the text of named files in order. */
const SOURCES =
  /^(?:format|reformat|auto_?format|beautify|prettify|auto_?fix|fix|sort|organize|optimize|tidy)_(?:\w+_)?(?:code|source|sources|imports|files?|style|formatting|lint|whitespace|indentation)$/;
const MEDIA =
  /^(?:crop|resize|rotate|flip|scale|compress|trim|cut|watermark|upscale|blur|sharpen|denoise|transcode|merge|split|combine|concat(?:enate)?|join|optimize|convert|annotate|stitch)_(?:images?|photos?|pictures?|pdfs?|pdf_(?:files?|pages)|videos?|clips?|audio|gifs?|svgs?|thumbnails?)(?:_to_\w+)?$|^remove_(?:image_)?(?:background|noise|silence|watermark)(?:_from_\w+)?$/;
const TEXT =
  /^(?:rewrite|rephrase|paraphrase|shorten|expand|improve|correct|spell_?check|polish|simplify|summari[sz]e|translate|humanize)_(?:the_)?(?:text|sentences?|paragraphs?|tone|grammar|spelling|wording|prose|copy)$/;
/** Named by one of these it lies with a service: whether it comes back nobody knows. */
const ELSEWHERE = /(?:^|_)(?:id|ids|url|urls|uri|key|bucket|repo|server|folder)$/;
const NAMED =
  'path file_path filePath file filename image image_path input input_path input_file video audio pdf source src out output output_path outputPath output_file destination dest files paths images pdfs inputs'.split(
    ' ',
  );
const WORDS = ['text', 'content', 'code', 'sentence', 'paragraph'];
const ADDRESS = /^[a-z][a-z0-9+.-]{1,16}:/i;
const MAX_NAMED = 64;
const MAX_PATH = 1_024;

/** Lines of text, and no path whatever a tool trims from it. */
const isText = (value: string) => value.trim().includes('\n') && !/^\s*(?:[~/.\\]|[A-Za-z]:)|\.\.[/\\]/.test(value);

/** The files a reshaping touches, none of them where it only answers; undefined where it is none, or happens elsewhere. */
export function shapedFiles(given: Given, name: string): string[] | undefined {
  const sources = SOURCES.test(name);
  const text = TEXT.test(name);
  if (!sources && !text && !MEDIA.test(name)) return undefined;
  if (Object.keys(given).some((key) => ELSEWHERE.test(key.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase())))
    return undefined;
  const values = NAMED.flatMap((key) => [given[key], ...stringsOf(given[key])]).filter(
    (value): value is string => typeof value === 'string' && value !== '',
  );
  const named = values.filter((value) => !isText(value));
  if (named.length > MAX_NAMED || named.some((value) => value.length > MAX_PATH || ADDRESS.test(value)))
    return undefined;
  const handed = named.length < values.length || WORDS.some((key) => typeof given[key] === 'string');
  if (text) return named.length === 0 && handed ? [] : undefined;
  return named.length > 0 || handed ? named : undefined;
}
