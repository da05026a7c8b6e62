"""Cells that are no scores: each is mended as declared, or refused with its line and column."""

import pytest

MISSING_WORDS = ("NA", "n/a", "NaN", "-", ".")

CASES = {
    "sentinel -9": {
        "change": lambda e: e.put(4, "gad7", "-9").put(6, "madrs", "-9"),
        "problems": [
            (
                "line 4, column 'gad7': -9, which often stands for a missing value; expected a whole number from 0 "
                "to 21. Declare missing = [-9] if it stands for a missing value."
            ),
            (
                "line 6, column 'madrs': -9, which often stands for a missing value; expected a whole number from 0 "
                "to 60. Declare missing = [-9] if it stands for a missing value."
            ),
        ],
        "declare": {"missing": (-9.0,)},
        "mends": False,
    },
    "sentinel 99": {
        "change": lambda e: e.everywhere("gad7", "99"),
        "problems": [
            (
                "line 2, column 'gad7': 99, which often stands for a missing value; expected a whole number from 0 "
                "to 21. Declare missing = [99] if it stands for a missing value."
            ),
        ],
        "declare": {"missing": (99.0,)},
        "mends": False,
    },
    "sentinel 999 in a covariate": {
        "change": lambda e: e.put(8, "weight", "999"),
        "problems": [
            (
                "line 8, column 'weight': 999, which often stands for a missing value; expected a number from 30 to "
                "300. Declare missing = [999] if it stands for a missing value."
            ),
        ],
        "declare": {"missing": (999.0,)},
    },
    "text in a score": {
        "change": lambda e: e.everywhere("gad7", "not assessed, angry at sister"),
        "problems": ["line 2, column 'gad7': text of 29 characters; expected a whole number from 0 to 21."],
    },
    "a name in a score": {
        "change": lambda e: e.everywhere("gad7", "Ottilie"),
        "problems": ["line 2, column 'gad7': text of 7 characters; expected a whole number from 0 to 21."],
    },
    "a date in a score": {
        "change": lambda e: e.everywhere("gad7", "2019-03-18"),
        "problems": ["line 2, column 'gad7': a date; expected a whole number from 0 to 21."],
    },
    "a long number in a score": {
        "change": lambda e: e.everywhere("gad7", "4711001"),
        "problems": ["line 2, column 'gad7': a number out of range; expected a whole number from 0 to 21."],
    },
    "32*": {
        "change": lambda e: e.everywhere("madrs", "31*"),
        "problems": [
            (
                "line 2, column 'madrs': a number with a mark ('31*'); expected a whole number from 0 to 60. "
                'Declare repairs = ["footnotes"] to remove marks after numbers.'
            ),
        ],
        "declare": {"repairs": ("footnotes",)},
    },
    "blanks around a score": {
        "change": lambda e: e.everywhere("gad7", "10 "),
        "problems": [
            (
                "line 2, column 'gad7': a number with spaces around it ('10 '); expected a whole number from 0 to "
                '21. Declare repairs = ["strip"] to remove spaces.'
            ),
        ],
        "declare": {"repairs": ("strip",)},
    },
    "full-width digits": {
        "change": lambda e: e.everywhere("gad7", "\uff11\uff10"),
        "problems": [
            (
                "line 2, column 'gad7': a number in full-width digits ('\uff11\uff10'); expected a whole number from "
                '0 to 21. Declare repairs = ["full_width"] to read such digits.'
            ),
        ],
        "declare": {"repairs": ("full_width",)},
    },
    "TRUE and FALSE": {
        "change": lambda e: e.everywhere("gad7", "TRUE", "FALSE"),
        "problems": [
            "line 2, column 'gad7': a truth value ('TRUE'); expected a whole number from 0 to 21.",
            "line 3, column 'gad7': a truth value ('FALSE'); expected a whole number from 0 to 21.",
        ],
    },
    "five words for missing": {
        "change": lambda e: e.everywhere("gad7", *MISSING_WORDS),
        "problems": [
            (
                "line 2, column 'gad7': a word for a missing value ('NA'); expected a whole number from 0 to 21. "
                "Declare missing = ['NA'] if it stands for a missing value."
            ),
            (
                "line 3, column 'gad7': a word for a missing value ('n/a'); expected a whole number from 0 to 21. "
                "Declare missing = ['n/a'] if it stands for a missing value."
            ),
            (
                "line 4, column 'gad7': a word for a missing value ('NaN'); expected a whole number from 0 to 21. "
                "Declare missing = ['NaN'] if it stands for a missing value."
            ),
            (
                "line 5, column 'gad7': a word for a missing value ('-'); expected a whole number from 0 to 21. "
                "Declare missing = ['-'] if it stands for a missing value."
            ),
            (
                "line 6, column 'gad7': a word for a missing value ('.'); expected a whole number from 0 to 21. "
                "Declare missing = ['.'] if it stands for a missing value."
            ),
        ],
        "declare": {"missing": MISSING_WORDS},
        "mends": False,
    },
    "a percent sign": {
        "change": lambda e: e.everywhere("madrs", "52%"),
        "problems": ["line 2, column 'madrs': a percentage ('52%'); expected a whole number from 0 to 60."],
    },
    "a thousands separator": {
        "change": lambda e: e.everywhere("madrs", "1,031"),
        "problems": [
            (
                "line 2, column 'madrs': a number with a thousands separator ('1,031'); expected a whole number from "
                '0 to 60. Declare repairs = ["thousands"] or, if it is the decimal sign, `decimal`.'
            ),
        ],
    },
    "an error of a spreadsheet": {
        "change": lambda e: e.everywhere("madrs", "#REF!"),
        "problems": [
            ("line 2, column 'madrs': an error value of a spreadsheet; expected a whole number from 0 to 60."),
        ],
    },
    "a formula": {
        "change": lambda e: e.everywhere("madrs", "=SUM(G2:P2)"),
        "problems": ["line 2, column 'madrs': text of 11 characters; expected a whole number from 0 to 60."],
    },
    "a total off the scale": {
        "change": lambda e: e.everywhere("gad7", "22", "-1"),
        "problems": [
            "line 2, column 'gad7': a number ('22') out of range; expected a whole number from 0 to 21.",
            (
                "line 3, column 'gad7': -1, which often stands for a missing value; expected a whole number from 0 "
                "to 21. Declare missing = [-1] if it stands for a missing value."
            ),
        ],
    },
    "an item off the scale": {
        "change": lambda e: e.everywhere("m3", "7"),
        "problems": ["line 2, column 'm3': a number ('7') out of range; expected a whole number from 0 to 6."],
    },
    "half points": {
        "change": lambda e: e.everywhere("gad7", "10.5"),
        "problems": [
            "line 2, column 'gad7': a number ('10.5') that is not whole; expected a whole number from 0 to 21."
        ],
    },
    "1e1": {
        "change": lambda e: e.everywhere("gad7", "1e1"),
        "problems": ["line 2, column 'gad7': text of 3 characters; expected a whole number from 0 to 21."],
    },
    "totals that contradict items": {
        "change": lambda e: e.everywhere("madrs", "30"),
        "problems": [
            (
                "line 2, column 'madrs': items that make 31 beside the total 30; expected items that make the "
                'total. Correct it, or declare differing = "items" or "total".'
            ),
        ],
        "declare": {"differing": "items"},
    },
    "missing items counted as zero": {
        "change": lambda e: e.put(2, "m10", "").put(2, "madrs", "28"),
        "problems": [
            (
                "line 2, column 'madrs': the total 28, which counts missing items as zero; expected items that "
                'make the total. Correct it, or declare differing = "items" or "total".'
            ),
        ],
        "declare": {"differing": "total"},
        "mends": False,
    },
}


@pytest.mark.parametrize("name", CASES)
def test_malformed_scores_give_one_list_of_problems_or_a_declared_repair(name, judge):
    judge(**CASES[name])
