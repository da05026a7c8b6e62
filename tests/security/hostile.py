"""Hostile texts, and what makes files hostile: every draw follows from one `random.Random`."""

import json

NAMES = (
    'I(system("touch pwned"))',
    '"); system("touch pwned") #',
    "`touch pwned`",
    "$(touch pwned)",
    "'); import os; os.system('touch pwned') #",
    '__import__("os").system("touch pwned")',
    "{{7*7}}",
    "{0.__class__.__mro__}",
    "%s%s%s%n",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>",
    "<!--",
    "]]>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "+1+1",
    "-1+1",
    "::error::stop",
    "##[error]",
    "../..",
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\pwned",
    "C:\\pwned",
    "con",
    "~root",
    "a/b",
    "pwned",
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "a\0b",
    "\x1b[2J\x1b[31m",
    "\x07",
    "\u202ekcatta",
    "\u2028",
    "\ufeff",
    "\ud800",
    "\udfff\ud800",
    "\U0001f9ea",
    "e\u0301",
    "\u0130",
    "\u017f",
    "constructor",
    "__class__",
    "v1",
    "L1",
    "NA",
    "NaN",
    "null",
    "TRUE",
    "(",
    ")",
    "|",
    "||",
    "~",
    "*",
    "'",
    '"',
    '"""',
    "\\",
    "#",
    "[",
    "]",
    "[[",
    "}",
)
NUMBERS = (
    "1e999",
    "-1e999",
    "1e-999",
    "nan",
    "inf",
    "-inf",
    "NaN",
    "9223372036854775808",
    "-9223372036854775809",
    "-2147483648",
    "4294967296",
    "1" + "0" * 400,
    "0x10",
    "1_000",
    "1,5",
    "1e5",
    "-0.0",
    "1.7976931348623157e308",
    "5e-324",
    "0.1000000000000000055511151231257827",
    "१२",
    "٣",
    "½",
    "true",
    "1979-05-27",
    "1 2",
    "--1",
    "1e",
)
LENGTH, DEPTH = 1_000_000, 10_000
RARELY = 1 / 400


def text(chance):
    """Return a hostile text; rarely one of a million characters."""
    draw = chance.random()
    if draw < RARELY:
        return chance.choice("a(é<\u202e'") * LENGTH
    if draw < 0.7:
        return chance.choice(NAMES)
    if draw < 0.85:
        return chance.choice(NUMBERS)
    if draw < 0.93:
        return "".join(chance.choice(NAMES) for _ in range(chance.randint(2, 4)))
    return "".join(chr(chance.randrange(chance.choice((128, 0x3000, 0x110000)))) for _ in range(chance.randint(1, 12)))


def nested(chance):
    """Return brackets ten thousand deep."""
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}"), ("(", ")"), ("{a=", "}")))
    return opening * DEPTH + "1" + (closing * DEPTH if chance.random() < 0.7 else "")


def quoted(chance, value=None):
    """Return a text in the quotes of TOML and JSON, so that it gets past the parser."""
    return json.dumps(text(chance) if value is None else value, ensure_ascii=False)


def value(chance):
    """Return something that can stand where TOML or JSON has a value."""
    draw = chance.random()
    if draw < RARELY:
        return nested(chance)
    if draw < 0.5:
        return quoted(chance)
    if draw < 0.75:
        return chance.choice(NUMBERS)
    return chance.choice(
        ("true", "false", "[]", "{}", "[1]", '["a"]', "{a = 1}", "[[1]]", "[1, 'a']", "0", "-1", "2.5")
    )


def damaged(chance, source):
    """Return a text damaged in up to four places: values replaced, lines lost, doubled or moved, bytes flipped."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        source = chance.choice(_WAYS)(chance, source)
    return source


def written(path, source):
    """Write a text into a file, undecodable where it holds lone surrogates."""
    path.write_bytes(source.encode("utf-8", errors="surrogatepass"))
    return path


def _lines(chance, source):
    lines = source.split("\n")
    return lines, chance.randrange(len(lines))


def _with_value(chance, source):
    """Put a hostile value behind an equals sign or a colon."""
    lines, place = _lines(chance, source)
    sign = "=" if "=" in lines[place] else ":"
    if sign not in lines[place]:
        return source
    end = "," if sign == ":" and lines[place].rstrip().endswith(",") else ""
    lines[place] = f"{lines[place].split(sign, 1)[0]}{sign} {value(chance)}{end}"
    return "\n".join(lines)


def _with_key(chance, source):
    lines, place = _lines(chance, source)
    key, sign, rest = lines[place].partition("=")
    lines[place] = f"{quoted(chance)} ={rest}" if sign else f"[{chance.choice((key, quoted(chance)))}]"
    return "\n".join(lines)


def _in_quotes(chance, source):
    """Replace what stands between a pair of quotes."""
    parts = source.split('"')
    if len(parts) < 3:
        return source
    place = 1 + 2 * chance.randrange((len(parts) - 1) // 2)
    parts[place] = json.dumps(text(chance))[1:-1]
    return '"'.join(parts)


def _line_gone(chance, source):
    lines, place = _lines(chance, source)
    del lines[place]
    return "\n".join(lines)


def _line_doubled(chance, source):
    lines, place = _lines(chance, source)
    lines.insert(place, lines[place])
    return "\n".join(lines)


def _line_moved(chance, source):
    lines, place = _lines(chance, source)
    line = lines.pop(place)
    lines.insert(chance.randrange(len(lines) + 1), line)
    return "\n".join(lines)


def _line_inserted(chance, source):
    lines, place = _lines(chance, source)
    lines.insert(place, f"{quoted(chance)} = {value(chance)}" if chance.random() < 0.5 else text(chance))
    return "\n".join(lines)


def _inserted(chance, source):
    place = chance.randrange(len(source) + 1)
    return source[:place] + text(chance) + source[place:]


def _cut(chance, source):
    start, end = sorted(chance.randrange(len(source) + 1) for _ in range(2))
    return source[:start] + source[end:]


def _flipped(chance, source):
    if not source:
        return source
    place = chance.randrange(len(source))
    return source[:place] + chr(ord(source[place]) ^ (1 << chance.randrange(7))) + source[place + 1 :]


_WAYS = (
    _with_value,
    _with_value,
    _with_value,
    _with_key,
    _in_quotes,
    _in_quotes,
    _line_gone,
    _line_doubled,
    _line_moved,
    _line_inserted,
    _inserted,
    _cut,
    _flipped,
)
