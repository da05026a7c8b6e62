"""Dates that can't be read or can't be true: declared, accepted by name, or refused without being shown."""

from datetime import date

import pytest

EXCEL_ZERO = date(1899, 12, 30)

CASES = {
    "days and months in doubt": {
        "change": lambda e: e.each("date", lambda t: f"0{1 + int(t[-1]) % 9}/0{1 + int(t[-2])}/2019"),
        "problems": [
            (
                "column 'date': dates that fit '%d/%m/%Y' and '%m/%d/%Y' alike; expected one order of day and month. "
                "Set date_format under [import.dating]."
            ),
        ],
        "before": {"date_format": None},
    },
    "days first": {
        "change": lambda e: e.dated("%d/%m/%Y"),
        "before": {"date_format": None},
    },
    "months first": {
        "change": lambda e: e.dated("%m/%d/%Y"),
        "before": {"date_format": None},
    },
    "two formats of dates": {
        "change": lambda e: e.put(4, "date", "25.03.2019").put(9, "date", "03/18/2020"),
        "problems": [
            (
                "line 4, column 'date': something that does not fit the format of the other dates; expected "
                "%Y-%m-%d, as 16 of 18 dates have. Write all dates in one format."
            ),
            (
                "line 9, column 'date': something that does not fit the format of the other dates; expected "
                "%Y-%m-%d, as 16 of 18 dates have. Write all dates in one format."
            ),
        ],
        "before": {"date_format": None},
    },
    "another format than declared": {
        "change": lambda e: e.put(4, "date", "25.03.2019"),
        "problems": ["line 4, column 'date': a date in another form; expected a date as '%Y-%m-%d' writes it."],
    },
    "serial dates": {
        "change": lambda e: e.each("date", lambda t: str((date.fromisoformat(t) - EXCEL_ZERO).days)),
        "problems": [
            (
                "column 'date': serial numbers where dates should be; expected dates. "
                'Declare date_format = "excel" if a spreadsheet wrote them.'
            ),
        ],
        "before": {"date_format": None},
        "declare": {"date_format": "excel"},
    },
    "two-digit years": {
        "change": lambda e: e.dated("%d.%m.%y"),
        "problems": [
            (
                "column 'date': 18 cells in no known format of dates; expected dates such as %Y-%m-%d, or a declared "
                "date_format."
            ),
        ],
        "before": {"date_format": None},
        "declare": {"date_format": "%d.%m.%y"},
    },
    "dates in a time zone": {
        "change": lambda e: e.each("date", lambda t: f"{t}T09:30:00+02:00"),
        "problems": [
            (
                "column 'date': 18 cells in no known format of dates; expected dates such as %Y-%m-%d, or a declared "
                "date_format."
            ),
        ],
        "before": {"date_format": None},
        "declare": {"date_format": "%Y-%m-%dT%H:%M:%S%z"},
    },
    "a date that stands for none": {
        "change": lambda e: e.put(4, "date", "1900-01-01"),
        "problems": [
            (
                "line 4, column 'date': a date before 1990 or after 2099; expected a date of a visit. "
                "Declare it as missing if it is none."
            ),
        ],
    },
    "a visit without a date": {
        "change": lambda e: e.put(4, "date", ""),
        "problems": [
            (
                "line 4: a visit without a date; expected one. "
                'Declare undated = "nominal" to give such visits their nominal day.'
            ),
        ],
        "declare": {"undated": "nominal", "nominal_days": True},
    },
    "no date of the first infusion": {
        "change": lambda e: e.put(2, "date", ""),
        "problems": [
            (
                "line 2: a subject without a date at the visit 'inf1'; expected that date, because days are counted "
                "from it."
            ),
        ],
    },
    "follow-up after its window": {
        "change": lambda e: e.later(6, 11),
        "problems": [
            (
                "line 6: the visit 'fu_1wk' outside 7 +/- 3 days after the last infusion; expected that follow-up "
                'lies in its window after the last infusion. Correct it, or declare accept = ["follow_up_window"].'
            ),
        ],
        "declare": {"accept": ("follow_up_window",)},
        "mends": False,
    },
    "dates after follow-up": {
        "change": lambda e: e.later(5, 30),
        "problems": [
            (
                "line 5: more than 14 days from 'inf3' to 'inf4'; expected that infusions lie 1 to 14 days apart. "
                'Correct it, or declare accept = ["infusion_interval"].'
            ),
            (
                "line 6: the visit 'fu_1wk' not after the visit 'inf4'; expected that days increase in the order of "
                'the visits. Correct it, or declare accept = ["visit_order"].'
            ),
            (
                "line 6: the visit 'fu_1wk' outside 7 +/- 3 days after the last infusion; expected that follow-up "
                'lies in its window after the last infusion. Correct it, or declare accept = ["follow_up_window"].'
            ),
            (
                "line 7: the visit 'fu_1mo' outside 30 +/- 10 days after the last infusion; expected that follow-up "
                'lies in its window after the last infusion. Correct it, or declare accept = ["follow_up_window"].'
            ),
        ],
        "declare": {"accept": ("visit_order", "infusion_interval", "follow_up_window")},
        "mends": False,
    },
    "visits out of order": {
        "change": lambda e: e.later(4, -5),
        "problems": [
            (
                "line 4: the visit 'inf3' not after the visit 'inf2'; expected that days increase in the order of "
                'the visits. Correct it, or declare accept = ["visit_order"].'
            ),
        ],
        "declare": {"accept": ("visit_order",)},
        "mends": False,
    },
    "infusions three weeks apart": {
        "change": lambda e: e.later(5, 18).later(6, 18).later(7, 18),
        "problems": [
            (
                "line 5: more than 14 days from 'inf3' to 'inf4'; expected that infusions lie 1 to 14 days apart. "
                'Correct it, or declare accept = ["infusion_interval"].'
            ),
        ],
        "declare": {"accept": ("infusion_interval",)},
        "mends": False,
    },
    "negative days": {
        "change": lambda e: e.later(3, -10),
        "problems": [
            "line 3: the visit 'inf2' before the first infusion; expected a day from 0 on, except at screening.",
            (
                "line 3: the visit 'inf2' not after the visit 'inf1'; expected that days increase in the order of "
                'the visits. Correct it, or declare accept = ["visit_order"].'
            ),
        ],
    },
}


@pytest.mark.parametrize("name", CASES)
def test_malformed_dates_give_one_list_of_problems_or_a_declared_repair(name, judge):
    judge(**CASES[name])
