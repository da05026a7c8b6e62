"""Files that are badly written: each is read as declared or found out, or refused with all that is wrong with it."""

import pytest

UNDECLARED = {"encoding": None, "delimiter": None, "decimal": None}

CASES = {
    "a byte-order mark": {
        "change": lambda e: e.text().encode("utf-8-sig"),
    },
    "a byte-order mark, encoding found": {
        "change": lambda e: e.text().encode("utf-8-sig"),
        "before": UNDECLARED,
    },
    "UTF-16": {
        "change": lambda e: e.text().encode("utf-16"),
        "problems": ['line 1: a UTF-16 byte-order mark; expected utf-8. Set encoding = "utf-16" under [import.file].'],
        "declare": {"encoding": None},
    },
    "UTF-16 without a mark": {
        "change": lambda e: e.text().encode("utf-16-le"),
        "problems": ["line 1: a NUL character; expected text. Is it a binary file, or UTF-16?"],
        "before": UNDECLARED,
    },
    "Latin-1": {
        "change": lambda e: e.put(3, "note", "Schwester fährt").text().encode("latin-1"),
        "problems": [
            (
                "line 3: byte 0xe4 at position 221; expected utf-8. "
                'Set encoding under [import.file], such as encoding = "cp1252" or "latin-1".'
            ),
        ],
        "declare": {"encoding": None},
    },
    "semicolons": {
        "change": lambda e: e.text(";"),
        "problems": [
            (
                "line 1: a first line of 1 cells, 0 of them numbers, with none of the 19 columns; expected a header. "
                "Is the header missing, or `header` or `delimiter` another one?"
            ),
        ],
        "declare": {"delimiter": None},
    },
    "tabs": {
        "change": lambda e: e.text("\t"),
        "before": UNDECLARED,
        "name": "export.tsv",
    },
    "a decimal comma where points are declared": {
        "change": lambda e: e.everywhere("weight", "71,5"),
        "problems": [
            (
                "line 2, column 'weight': a number with a decimal comma; expected a number from 30 to 300. "
                "Declare `decimal` under [import.file] if that is the decimal sign."
            ),
        ],
    },
    "semicolons and decimal commas": {
        "change": lambda e: e.each("weight", lambda t: t.replace(".", ",")).text(";"),
        "before": UNDECLARED,
    },
    "decimal commas and points": {
        "change": lambda e: e.everywhere("weight", "71,5"),
        "problems": [
            (
                "line 2, column 'weight': a number with a decimal comma; expected a number from 30 to 300. "
                "Declare `decimal` under [import.file] if that is the decimal sign."
            ),
        ],
        "before": UNDECLARED,
    },
    "commas that may separate thousands": {
        "change": lambda e: e.each("weight", lambda _: "71,500"),
        "problems": [
            (
                "18 numbers whose comma is a decimal sign or separates thousands; expected one of both. "
                'Set decimal under [import.file], or declare repairs = ["thousands"].'
            ),
        ],
        "before": UNDECLARED,
        "declare": {"decimal": ","},
        "mends": False,
    },
    "two possible delimiters": {
        "change": lambda e: e.each("note", lambda _: "a;b").renamed(note="a;b"),
        "problems": [
            (
                "line 1: lines that comma and semicolon divide; expected one out of comma, semicolon, tab, bar. "
                "Set delimiter under [import.file]."
            ),
        ],
        "before": UNDECLARED,
    },
    "an empty file": {
        "change": lambda _: b"",
        "problems": ["an empty file; expected a header and at least one row."],
    },
    "nothing but blank lines": {
        "change": lambda _: b"\n\n \n",
        "problems": ["an empty file; expected a header and at least one row."],
    },
    "a header alone": {
        "change": lambda e: e.text().splitlines()[0],
        "problems": ["line 1: a header without rows; expected a header and at least one row."],
    },
    "a missing header": {
        "change": lambda e: "\n".join(e.text().splitlines()[1:]),
        "problems": [
            (
                "line 1: a first line of 20 cells, 14 of them numbers, with none of the 19 columns; expected a "
                "header. Is the header missing, or `header` or `delimiter` another one?"
            ),
        ],
    },
    "a short row": {
        "change": lambda e: e.text().replace("3,31,10,71.5,\n", "3,31,10\n", 1),
        "problems": ["line 2: 18 cells; expected 20, as in the header."],
    },
    "a long row": {
        "change": lambda e: e.text().replace("QX-4711,inf3", "QX-4711,extra,inf3"),
        "problems": ["line 4: 21 cells; expected 20, as in the header."],
    },
    "a quoted line break": {
        "change": lambda e: e.put(3, "note", "two\nlines"),
    },
    "a line break before a fault": {
        "change": lambda e: e.put(3, "note", "two\nlines").put(5, "gad7", "x"),
        "problems": ["line 6, column 'gad7': a single character; expected a whole number from 0 to 21."],
    },
    "an open quotation mark": {
        "change": lambda e: e.text().replace("sister", '"sister', 1),
        "problems": ["line 3: unexpected end of data; expected cells in the usual quotation of CSV."],
    },
    "NUL bytes": {
        "change": lambda e: e.text().replace("sister", "sis\0ter", 1),
        "problems": ["line 3: a NUL character; expected text. Is it a binary file, or UTF-16?"],
    },
    "two columns of one name": {
        "change": lambda e: e.renamed(note="gad7"),
        "problems": ["line 1, column 'gad7': 2 columns of this name; expected one, because the mapping names it."],
    },
    "a column that lacks": {
        "change": lambda e: e.renamed(gad7="GAD_sum"),
        "problems": ["line 1, column 'gad7': no such column; expected one, because the mapping names it."],
    },
    "spaces around names": {
        "change": lambda e: e.renamed(gad7=" gad7"),
        "problems": [
            (
                "line 1, column 'gad7': no such column; expected one, because the mapping names it. "
                'Declare repairs = ["strip"]: the header has it with spaces.'
            ),
        ],
        "declare": {"repairs": ("strip",)},
    },
    "empty columns at the right": {
        "change": lambda e: "".join(f"{line},,\n" for line in e.text().splitlines()),
    },
    "another kind of file": {
        "change": lambda e: e.text(),
        "problems": ["suffix '.pdf'; expected one of .csv, .tsv, .tab, .txt, .xlsx."],
        "name": "export.pdf",
    },
}


@pytest.mark.parametrize("name", CASES)
def test_malformed_files_give_one_list_of_problems_or_a_declared_repair(name, judge):
    judge(**CASES[name])
