// The part of CommonMark that messages use, as DOM nodes: paragraphs, line breaks, lists,
// quotes, code, bold, italics and links. What isn't understood stays the text that it is.
// Links lead to http and https only.

import { element } from './dom.js';

const DEEPEST = 4;
const FENCE = /^ {0,3}```/;
const FENCED = /^(?! {0,3}```)(.*)$/;
const BULLET = /^ {0,3}[-*+] +(.*)$/;
const NUMBER = /^ {0,3}\d{1,9}[.)] +(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const HEADING = /^ {0,3}#{1,6} +(.*?)(?: +#+)? *$/;

const INLINE = new RegExp([
  /\\([!-/:-@[-`{-~])/, // 1: an escaped sign
  /(`+)([^`]|[^`][^]*?[^`])\2(?!`)/, // 2, 3: code
  /\[([^\]\n]+)\]\(([^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*)\)/, // 4, 5: a link with words
  /<(https?:\/\/[^\s<>]+)>/, // 6: a link
  /(?<!\w)(https?:\/\/[^\s<>]*[^\s<>.,;:!?'")\]*_])/, // 7: a bare link
  /\*\*(?=\S)([^]*?\S)\*\*/, // 8: bold
  /(?<!\w)__(?=\S)([^]*?\S)__(?!\w)/, // 9: bold
  /\*(?=[^\s*])([^]*?[^\s*])\*(?!\*)/, // 10: italics
  /(?<!\w)_(?=[^\s_])([^]*?[^\s_])_(?!\w)/, // 11: italics
].map((part) => part.source).join('|'), 'i');

/** The address, if a link may lead there. */
export function safeAddress(text) {
  try {
    const url = new URL(text);
    return ['http:', 'https:'].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** A link to somewhere else; just its words if nothing may lead there. */
export function link(address, ...words) {
  const href = safeAddress(address);
  if (!href) return element('span', {}, ...words);
  return element('a', { href, target: '_blank', rel: 'noopener noreferrer' }, ...words);
}

function inline(text, depth = 0) {
  const nodes = [];
  let rest = text;
  while (rest) {
    const found = depth < DEEPEST ? INLINE.exec(rest) : null;
    if (!found) break;
    if (found.index > 0) nodes.push(...withBreaks(rest.slice(0, found.index)));
    nodes.push(inlineNode(found, depth + 1));
    rest = rest.slice(found.index + found[0].length);
  }
  return nodes.concat(withBreaks(rest));
}

function inlineNode(found, depth) {
  const [, sign, , code, words, address, bracketed, bare, bold, bold2, italics, italics2] = found;
  if (sign) return sign;
  if (code) return element('code', {}, code.replace(/^ (.+) $/, '$1'));
  if (words) return safeAddress(address) ? link(address, ...inline(words, depth)) : found[0];
  if (bracketed ?? bare) return link(bracketed ?? bare, bracketed ?? bare);
  if (bold ?? bold2) return element('strong', {}, ...inline(bold ?? bold2, depth));
  return element('em', {}, ...inline(italics ?? italics2, depth));
}

function withBreaks(text) {
  return text.split('\n').flatMap((line, index) => (index ? [element('br'), line] : [line])).filter((node) => node !== '');
}

/** The text as block elements. */
export function markdown(text) {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const blocks = [];
  let paragraph = [];
  const endParagraph = () => {
    if (paragraph.length) blocks.push(element('p', {}, ...inline(paragraph.join('\n'))));
    paragraph = [];
  };
  const takeWhile = (pattern) => {
    const taken = [];
    while (lines.length && pattern.test(lines[0])) taken.push(pattern.exec(lines.shift())[1]);
    return taken;
  };
  const list = (tag, pattern) => element(tag, {}, ...takeWhile(pattern).map((item) => element('li', {}, ...inline(item))));
  while (lines.length) {
    const line = lines[0];
    if ([FENCE, BULLET, NUMBER, QUOTE, HEADING].some((pattern) => pattern.test(line))) endParagraph();
    if (FENCE.test(line)) {
      lines.shift();
      const code = takeWhile(FENCED).join('\n');
      lines.shift();
      blocks.push(element('pre', { tabindex: '0' }, element('code', {}, code)));
    } else if (BULLET.test(line)) {
      blocks.push(list('ul', BULLET));
    } else if (NUMBER.test(line)) {
      blocks.push(list('ol', NUMBER));
    } else if (QUOTE.test(line)) {
      blocks.push(element('blockquote', {}, ...inline(takeWhile(QUOTE).join('\n'))));
    } else if (HEADING.test(line)) {
      blocks.push(element('p', {}, element('strong', {}, ...inline(HEADING.exec(lines.shift())[1]))));
    } else {
      lines.shift();
      if (line.trim()) paragraph.push(line.trimEnd());
      else endParagraph();
    }
  }
  endParagraph();
  return blocks;
}
