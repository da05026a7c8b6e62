"""Visits and subjects that contradict each other: settled by a named rule, or refused with all that is wrong."""

import pytest

CASES = {
    "a duplicated event": {
        "change": lambda e: e.again(4),
        "problems": [
            (
                "line 20: the same subject and visit as in line 4; expected each subject and visit once. "
                "Remove one, or name a resolver under `duplicates`."
            ),
        ],
        "declare": {"duplicates": "identical"},
    },
    "a visit with two scores": {
        "change": lambda e: e.again(4).put(20, "gad7", "9"),
        "problems": [
            (
                "line 20: the same subject and visit as in line 4; expected each subject and visit once. "
                "Remove one, or name a resolver under `duplicates`."
            ),
        ],
        "declare": {"duplicates": "first"},
    },
    "an unknown event": {
        "change": lambda e: e.put(4, "visit", "phone call, sister"),
        "problems": [
            (
                "line 4, column 'visit': text of 18 characters, which no visit names; expected one of the 8 names "
                "under [import.visits]."
            ),
        ],
    },
    "two protocols": {
        "change": lambda e: e.put(4, "arm", "six"),
        "problems": [
            ("line 4: another protocol than in line 2 for the same subject; expected one protocol a subject."),
        ],
    },
    "no protocol": {
        "change": lambda e: e.each("arm", lambda t: "" if t == "six" else t),
        "problems": ["line 8: a subject without a protocol; expected one protocol."],
    },
    "an unknown protocol": {
        "change": lambda e: e.put(4, "arm", "4 inf"),
        "problems": [
            "line 4, column 'arm': text of 5 characters that no level lists; expected a word of the 2 levels."
        ],
    },
    "no subject": {
        "change": lambda e: e.put(4, "id", ""),
        "problems": [
            (
                "line 4, column 'id': no subject; expected a subject's label without spaces around it and without "
                "control characters."
            ),
        ],
    },
    "blanks around a subject": {
        "change": lambda e: e.put(4, "id", "QX-4711 "),
        "problems": [
            (
                "line 4, column 'id': text of 7 characters with spaces around it; expected a subject's label without "
                'spaces around it and without control characters. Declare repairs = ["strip"] to remove spaces.'
            ),
        ],
        "declare": {"repairs": ("strip",)},
    },
    "a subject with a control character": {
        "change": lambda e: e.put(4, "id", "QX-4711\x07"),
        "problems": [
            (
                "line 4, column 'id': text of 8 characters; expected a subject's label without spaces around it and "
                "without control characters."
            ),
        ],
    },
    "two sexes": {
        "change": lambda e: e.put(4, "sex", "M"),
        "problems": ["line 4: another sex than in line 2 for the same subject; expected one sex a subject."],
    },
    "an unlisted word": {
        "change": lambda e: e.put(4, "sex", "female"),
        "problems": [
            "line 4, column 'sex': text of 6 characters that no level lists; expected a word of the 2 levels."
        ],
    },
    "an infusion too many": {
        "change": lambda e: e.put(6, "visit", "inf5"),
        "problems": [
            (
                "line 2: more infusions than the protocol plans; expected that no one has more infusions than the "
                'protocol plans. Correct it, or declare accept = ["more_infusions"].'
            ),
        ],
        "declare": {"accept": ("more_infusions", "follow_up_window")},
        "mends": False,
    },
    "no score at all": {
        "change": lambda e: e.each("madrs", lambda _: "").each("gad7", lambda _: "").each("m1", lambda _: ""),
        "problems": [
            "no score at all; expected at least one.",
            (
                "line 2: a subject without any score; expected that every subject has a score (those without are "
                'left out). Correct it, or declare accept = ["never_rated"].'
            ),
            (
                "line 8: a subject without any score; expected that every subject has a score (those without are "
                'left out). Correct it, or declare accept = ["never_rated"].'
            ),
            (
                "line 14: a subject without any score; expected that every subject has a score (those without are "
                'left out). Correct it, or declare accept = ["never_rated"].'
            ),
        ],
    },
    "several faults at once": {
        "change": lambda e: (
            e.put(2, "gad7", "10*").put(3, "date", "").put(4, "visit", "inf9").put(5, "sex", "m").again(6)
        ),
        "problems": [
            (
                "line 2, column 'gad7': a number with a mark ('10*'); expected a whole number from 0 to 21. "
                'Declare repairs = ["footnotes"] to remove marks after numbers.'
            ),
            (
                "line 3: a visit without a date; expected one. "
                'Declare undated = "nominal" to give such visits their nominal day.'
            ),
            (
                "line 4, column 'visit': text of 4 characters, which no visit names; expected one of the 8 names "
                "under [import.visits]."
            ),
            "line 5, column 'sex': a single character that no level lists; expected a word of the 2 levels.",
            (
                "line 20: the same subject and visit as in line 6; expected each subject and visit once. "
                "Remove one, or name a resolver under `duplicates`."
            ),
        ],
    },
}


@pytest.mark.parametrize("name", CASES)
def test_malformed_visits_give_one_list_of_problems_or_a_declared_repair(name, judge):
    judge(**CASES[name])
